import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMethod, keepDrafts } from '../../src/decoding/method.js';
import { allOrNone } from '../../src/engine/all-or-none.js';
import { planGraph, skipGraph } from '../../src/engine/draft-graph.js';
import type { Engine } from '../../src/engine/engine.js';
import { InputError } from '../../src/errors.js';
import { type DraftPlan, skipPlan } from '../../src/profile/draft-plan.js';
import { loadMiniature } from '../helpers/engine.js';

let engine: Engine;
beforeAll(async () => {
  engine = await loadMiniature({ layers: 4, slidingWindow: null }, 'int8');
});
afterAll(() => engine.close());

const mask = { attention: [1], mlp: [1] };
/** Its bridge is of a smaller model, so that the runtime refuses the graph. */
const broken: DraftPlan = {
  ...{ mask, words: null },
  bridges: [{ from: 2, to: 4, weight: new Float32Array(4), bias: new Float32Array(2) }],
};
const methodOf = (plan: DraftPlan) =>
  createMethod('skip', { drafting: { plan, draftLength: 4, exit: { exit: 'fixed' } } });

test('where one draft of several cannot be loaded, the others are given back', async () => {
  const good = skipGraph(mask);
  const methods = [methodOf(skipPlan(mask)), methodOf(broken)];
  await expect(keepDrafts(engine, methods)).rejects.toThrow(InputError);
  // Of drafts that nobody uses the last one stays loaded; the good one would stay beside it if it were still in use.
  const before = await engine.draft(good);
  await before.release();
  const other = await engine.draft(skipGraph({ attention: [2], mlp: [] }));
  await other.release();
  const after = await engine.draft(good);
  expect(after.engine).not.toBe(before.engine);
  await after.release();
});

test('closing frees what is loaded while a draft fails', async () => {
  const own = await loadMiniature({ layers: 4, slidingWindow: null }, 'int8');
  const lease = await own.draft(skipGraph(mask));
  const failing = expect(own.draft(planGraph(broken, own.model))).rejects.toThrow(InputError);
  await own.close();
  await failing;
  const cache = own.createCache(8);
  await expect(lease.engine.forward(cache, [1], 0, lease.gates, 'last')).rejects.toThrow();
});

test('all or none: the first failure is thrown when all have ended', async () => {
  const given: number[] = [];
  const late = new Promise<number>((resolve) => setTimeout(() => resolve(2), 5));
  const making = [Promise.resolve(1), Promise.reject(new Error('no')), late];
  await expect(allOrNone(making, async (made) => void given.push(made))).rejects.toThrow('no');
  expect(given).toEqual([1, 2]);
  expect(await allOrNone([Promise.resolve(3)], async () => {})).toEqual([3]);
});
