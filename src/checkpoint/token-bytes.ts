/**
 * The bytes that a token spells by itself. A token may be a part of a character, which no decoded text shows; its spelling in the
 * vocabulary does: in GPT-2's letters for bytes, or in SentencePiece's `<0xE2>` and `▁` for a space.
 */
import { z } from 'zod';

const single = z.looseObject({
  type: z.string(),
  pattern: z.looseObject({ String: z.string().optional() }).optional(),
  content: z.string().optional(),
  replacement: z.string().optional(),
});

/** The decoders of a sequence; of anything else, itself, whatever it says of others. */
const decoderSchema = z.union([
  z
    .looseObject({ type: z.literal('Sequence'), decoders: z.array(single) })
    .transform(({ decoders }) => decoders),
  single.transform((decoder) => [decoder]),
]);

/**
 * @param decoder of tokenizer.json; one of a kind that is not known gives the spelling's own bytes.
 * @returns the bytes of a spelling.
 */
export function spellingBytes(decoder: unknown): (spelling: string) => Uint8Array {
  const parsed = decoderSchema.safeParse(decoder);
  const decoders = parsed.success ? parsed.data : [];
  if (decoders.some(({ type }) => type === 'ByteLevel')) {
    const bytes = byteOfLetter();
    return (spelling) =>
      Buffer.concat(
        Array.from(spelling, (letter) => {
          const byte = bytes.get(letter);
          return byte === undefined ? Buffer.from(letter) : Buffer.of(byte);
        }),
      );
  }
  const hasBytes = decoders.some(({ type }) => type === 'ByteFallback');
  const replaced = decoders.flatMap(({ type, pattern, content = '', replacement = '▁' }) => {
    if (type === 'Metaspace') return [[replacement, ' '] as const];
    return type === 'Replace' && pattern?.String ? [[pattern.String, content] as const] : [];
  });
  return (spelling) => {
    const [, byte] = (hasBytes && /^<0x([0-9A-Fa-f]{2})>$/.exec(spelling)) || [];
    if (byte !== undefined) return Buffer.of(Number.parseInt(byte, 16));
    return Buffer.from(replaced.reduce((text, [from, to]) => text.replaceAll(from, to), spelling));
  };
}

/** GPT-2's letters: printable bytes stand for themselves, the others for the characters from U+0100 on. */
function byteOfLetter(): ReadonlyMap<string, number> {
  const letters = new Map<string, number>();
  let shifted = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    letters.set(String.fromCodePoint(isPrintable ? byte : shifted++), byte);
  }
  return letters;
}
