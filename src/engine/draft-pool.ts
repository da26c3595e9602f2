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
 * profile loads it once, and a search over a thousand drafts keeps no more than it needs.
 */
export class DraftPool<E extends Closable> {
  private readonly members = new Map<string, Member<E>>();

  /** @param load makes the session of a draft. */
  constructor(private readonly load: (graph: DraftGraph) => Promise<E>) {}

  /** The session of a draft, to be given back with `release`. */
  async acquire(graph: DraftGraph): Promise<{ engine: E; release(): Promise<void> }> {
    const { key } = graph;
    const member = this.members.get(key) ?? { engine: this.load(graph), users: 0 };
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
      const idle = [...this.members].filter(([, { users }]) => users === 0).slice(0, -1);
      for (const [name, { engine: done }] of idle) {
        this.members.delete(name);
        await (await done).close();
      }
    };
    return { engine, release };
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
