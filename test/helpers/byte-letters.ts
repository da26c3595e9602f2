/** GPT-2's letters for bytes, in which byte-level tokenizers spell their tokens. */
export function byteLetters(): string[] {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let shifted = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : shifted++));
}
