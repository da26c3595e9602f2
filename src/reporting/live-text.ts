/** Lines that take the place of those before them. */
export interface LiveText {
  show(lines: readonly string[]): void;
}

/** On a terminal lines are written over; elsewhere they follow one another where they differ. */
export function createLiveText(
  stream: Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean },
): LiveText {
  let shown: readonly string[] = [];
  return {
    show(lines) {
      if (lines.join('\n') === shown.join('\n')) return;
      // Up to the first of the old lines, and clear from there to the end.
      if (stream.isTTY && shown.length > 0) stream.write(`\u001b[${shown.length}A\u001b[0J`);
      stream.write(`${lines.join('\n')}\n`);
      shown = lines;
    },
  };
}
