/** The values that were used last, as many as fit into some bytes; the last one whatever it takes. */
export class Latest<K, V> {
  private readonly values = new Map<K, V>();
  private bytes = 0;

  /** @param bytesOf what a value takes. */
  constructor(
    private readonly most: number,
    private readonly bytesOf: (value: V) => number,
  ) {}

  get(key: K): V | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    this.values.delete(key);
    this.values.set(key, value);
    return value;
  }

  /** Keeps a value under a key that has none. */
  add(key: K, value: V): void {
    this.values.set(key, value);
    this.bytes += this.bytesOf(value);
    for (const [oldest, old] of this.values) {
      if (this.bytes <= this.most || old === value) return;
      this.values.delete(oldest);
      this.bytes -= this.bytesOf(old);
    }
  }
}
