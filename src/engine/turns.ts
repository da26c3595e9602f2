/** Lets work on something that is shared go on one after the other. */
export class Turns {
  /** Fulfilled when the work that goes on has ended; null while none does. */
  private running: Promise<void> | null = null;

  /** Waits until nothing goes on. What comes before the next `await` has it for itself. */
  async free(): Promise<void> {
    while (this.running) await this.running;
  }

  /** Does some work, begun when nothing else goes on. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    let ended = () => {};
    this.running = new Promise((resolve) => {
      ended = resolve;
    });
    try {
      return await work();
    } finally {
      this.running = null;
      ended();
    }
  }
}
