/** Lets work on something that is shared go on one after the other. */
export class Turns {
  /** Fulfilled when the work that goes on has ended; null while none does. */
  private running: Promise<void> | null = null;

  /** Does some work when no other goes on. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    // Nothing may come between the last look and the turn that is taken: of all who wait one goes on, and the others see it.
    while (this.running) await this.running;
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
