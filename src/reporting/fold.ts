import { stripVTControlCharacters } from 'node:util';

/**
 * Breaks a line of text at spaces, and inside words that are too long; one that must be broken loses its colours.
 * @param width columns of a line.
 */
export function fold(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of stripVTControlCharacters(text).split(' ')) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line);
      line = '';
    }
    let rest = [...(line === '' ? word : `${line} ${word}`)];
    for (; rest.length > width; rest = rest.slice(width)) lines.push(rest.slice(0, width).join(''));
    line = rest.join('');
  }
  return line === '' ? lines : [...lines, line];
}

/** Characters that a text takes in a terminal, colours aside; every code point counts as one. */
export function textWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
