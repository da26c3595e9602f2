/** A shorter beginning takes little room, and says what its labels are about. */
const LEAST = 8;

/**
 * Names without what all of them begin with, up to its last separator, where that is long: a label that is cut shows what it
 * shares with the others, and not what tells it from them. Fewer than two names stay as they are.
 */
export function withoutCommonPrefix(names: readonly string[]): readonly string[] {
  const different = [...new Set(names)];
  const [first, ...others] = different;
  if (first === undefined || others.length === 0) return names;
  let length = 0;
  while (length < first.length && others.every((name) => name[length] === first[length])) length++;
  const prefix = /^.*[\s:/._-]/s.exec(first.slice(0, length))?.[0] ?? '';
  return prefix.length < LEAST ? names : names.map((name) => name.slice(prefix.length));
}
