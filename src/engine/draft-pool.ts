import type { DraftGraph } from './draft-graph.js';

interface Closable {
  close(): Promise<void>;
}

interface Member<E> {
  readonly engine: Promise<E>;
  users: number;
}

/**
 * The sessions of drafts in use, one for each graph, and the one that was used last: decoding again and again with one
 * profile loads it once, and a search over a thousand drafts keeps no more than it needs. Each has weights of its own in memory, so
 * that one which nobody uses makes room before another is loaded.
 */
export class DraftPool<E extends Closable> {
  private readonly members = new Map<string, Member<E>>();

  /** @param load makes the session of a draft. */
  constructor(private readonly load: (graph: DraftGraph) => Promise<E>) {}

  /** The session of a draft, to be given back with `release`. */
  async acquire(graph: DraftGraph): Promise<{ engine: E; release(): Promise<void> }> {
    const { key } = graph;
    const member = this.members.get(key) ?? {
      engine: this.closeIdle().then(() => this.load(graph)),
      users: 0,
    };
    member.users++;
    this.members.set(key, member);
    let engine: E;
    try {
      engine = await member.engine;
    } catch (error) {
      this.members.delete(key);
      throw error;
    }
    let held = true;
    const release = async (): Promise<void> => {
      if (!held) return;
      held = false;
      member.users--;
      // Maps keep their order: what was given back last stands last and stays.
      this.members.delete(key);
      this.members.set(key, member);
      await this.closeIdle(1);
    };
    return { engine, release };
  }

  /** Frees the sessions that nobody uses. @param kept how many of those that were used last stay. */
  async closeIdle(kept = 0): Promise<void> {
    const idle = [...this.members].filter(([, { users }]) => users === 0);
    const closed = idle.slice(0, idle.length - kept);
    for (const [name] of closed) this.members.delete(name);
    for (const [, { engine }] of closed) await (await engine).close();
  }

  /** Frees all sessions. */
  async close(): Promise<void> {
    const all = [...this.members.values()];
    this.members.clear();
    // One that could not be loaded, of which its user was told, keeps no other.
    for (const loaded of await Promise.allSettled(all.map(({ engine }) => engine)))
      if (loaded.status === 'fulfilled') await loaded.value.close();
  }
}
