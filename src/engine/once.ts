/** What is made when it is first wanted, and closed if it was. */
export function once<T extends { close(): Promise<void> }>(make: () => Promise<T>) {
  let made: Promise<T> | undefined;
  return {
    get(): Promise<T> {
      made ??= make();
      return made;
    },
    async close(): Promise<void> {
      // Where making it failed, whoever wanted it was told.
      await made?.then(
        (one) => one.close(),
        () => {},
      );
    },
  };
}
