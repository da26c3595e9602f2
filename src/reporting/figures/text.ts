/** The fonts of figures: whatever sans serif the system reads best in, and those of servers without a desktop. */
export const FONTS =
  "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";

const NARROW = /[iljtfrI.,:;'|!()[\]{} \-/]/;
const WIDE = /[mwMW%@\u2190-\u21ff\u2e80-\uffff]/;

/**
 * About how wide a text is, never less than in the common sans serif fonts (DejaVu Sans is the widest of them): there is
 * no font to ask where no browser is.
 * @param size of the font, in the unit of the result.
 */
export function textWidth(text: string, size: number): number {
  let ems = 0;
  for (const character of text) {
    if (NARROW.test(character)) ems += 0.42;
    else if (WIDE.test(character) || character > '\uffff') ems += 1;
    else ems += /[A-Z0-9]/.test(character) ? 0.7 : 0.62;
  }
  return ems * size;
}

/** A text for a label: one line, without characters that XML forbids, its middle left out beyond `most` characters. */
export function labelText(text: string, most = 28): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]+/g, ' ').toWellFormed();
  const characters = [...plain];
  if (characters.length <= most) return plain;
  const head = Math.ceil((most - 1) / 2);
  return `${characters.slice(0, head).join('')}…${characters.slice(head + 1 - most).join('')}`;
}
