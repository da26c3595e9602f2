import { expect, it } from 'vitest';
import type { DraftGraph } from '../../src/engine/draft-graph.js';
import { DraftPool } from '../../src/engine/draft-pool.js';

/** A pool of sessions that do nothing, and which of them are open, in the order in which they were loaded. */
function poolOf() {
  const open: string[] = [];
  const most = { open: 0 };
  const pool = new DraftPool(async ({ key }: DraftGraph) => {
    open.push(key);
    most.open = Math.max(most.open, open.length);
    return { close: async () => void open.splice(open.indexOf(key), 1) };
  });
  const graph = (key: string): DraftGraph => ({
    ...{
      key,
      mask: { attention: [], mlp: [] },
      transforms: [],
      headTokens: null,
      bridgeProducts: 0,
      memories: [],
      takesWords: false,
    },
  });
  return { open, most, acquire: (key: string) => pool.acquire(graph(key)), pool };
}

it('keeps the draft that was used last, loaded once', async () => {
  const { open, acquire } = poolOf();
  const first = await acquire('a');
  await first.release();
  const second = await acquire('a');
  expect(second.engine).toBe(first.engine);
  await second.release();
  expect(open).toEqual(['a']);
});

it('frees what nobody uses before it loads another, and nothing that is in use', async () => {
  const { open, most, acquire } = poolOf();
  const a = await acquire('a');
  await a.release();
  const b = await acquire('b');
  expect(open).toEqual(['b']);
  expect(most.open).toBe(1);
  const c = await acquire('c');
  expect(open).toEqual(['b', 'c']);
  await b.release();
  await c.release();
  expect(open).toEqual(['c']);
});

it('frees all that are idle when it is told to', async () => {
  const { open, acquire, pool } = poolOf();
  const a = await acquire('a');
  await (await acquire('b')).release();
  await pool.closeIdle();
  expect(open).toEqual(['a']);
  await a.release();
  await pool.close();
  expect(open).toEqual([]);
});
