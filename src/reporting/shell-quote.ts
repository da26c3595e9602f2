/** A word of a command as a POSIX shell reads it back: in single quotes where a character of it would mean something else. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
