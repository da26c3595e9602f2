/** oclif's help, with what it breaks mended: lines as wide as the terminal at most, and flags whole in the usage. */
import { CommandHelp, Help } from '@oclif/core';
import { textWidth } from '../reporting/width.js';

class WholeCommandHelp extends CommandHelp {
  /** The summary stands at the head already. */
  protected override description(): string | undefined {
    const { description } = this.command;
    return description === undefined ? undefined : this.wrap(description);
  }

  protected override usage(): string {
    // What oclif has combined leaves a space, or a bar, behind.
    const line = super
      .usage()
      .replace(/\n\s*/g, ' ')
      .replaceAll(/ (?:\| )?\]/g, ']');
    const width = this.opts.maxWidth - this.indentSpacing;
    const [first = '', ...others] = wholeParts(line);
    const lines = [first];
    for (const part of others) {
      const longer = `${lines.at(-1)} ${part}`;
      if (textWidth(longer) <= width) lines[lines.length - 1] = longer;
      else lines.push(`  ${part}`);
    }
    return lines.join('\n');
  }
}

/** oclif finds it by package.json. */
export default class WholeHelp extends Help {
  protected override CommandHelpClass = WholeCommandHelp;

  override formatRoot(): string {
    const [description = '', ...rest] = super.formatRoot().split('\n');
    return [this.wrap(description, 0), ...rest].join('\n');
  }

  /** A line by itself is a summary. */
  protected override log(text = ''): void {
    const [line, ...others] = text.trimEnd().split('\n');
    super.log(others.length === 0 && line ? text.replace(line, this.wrap(line, 0)) : text);
  }
}

/** Words of a usage, with what stands in brackets whole. */
function wholeParts(line: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of line) {
    if ('[('.includes(character)) depth++;
    if (')]'.includes(character)) depth--;
    if (character === ' ' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}
