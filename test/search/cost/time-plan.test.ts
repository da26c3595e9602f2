import { afterAll, beforeAll, expect, it } from 'vitest';
import { planGraph } from '../../../src/engine/draft-graph.js';
import type { Engine } from '../../../src/engine/engine.js';
import { calibrateCosts } from '../../../src/search/cost/calibrate.js';
import { type CostModel, priceDraft } from '../../../src/search/cost/cost-model.js';
import { draftShape } from '../../../src/search/cost/draft-shape.js';
import { repriced, timePlan } from '../../../src/search/cost/time-plan.js';
import { loadMiniature } from '../../helpers/engine.js';
import { randomTokens } from '../../helpers/logits.js';
import { randomPlan } from '../../helpers/plans.js';
import { simulateClock } from '../example.js';

let engine: Engine;
let restoreClock: () => void;
beforeAll(async () => {
  engine = await loadMiniature({ layers: 4 }, 'fp32', 1);
  restoreClock = simulateClock();
});
afterAll(() => {
  restoreClock();
  return engine.close();
});

it('finds by how much a model is wrong about a plan', async () => {
  const { vocabSize } = engine.config;
  const request = {
    engine,
    prompts: [randomTokens(30, vocabSize, 1), randomTokens(50, vocabSize, 2)],
    settings: {
      sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 },
      coupling: 'gumbel',
    },
    seed: 0,
  } as const;
  const { model } = await calibrateCosts(request);
  const plan = randomPlan({ attention: [1, 2], mlp: [1] }, engine.config, 3);
  const right = await timePlan(request, model, plan);
  expect(Math.abs(right.draft - 1)).toBeLessThan(0.15);
  expect(Math.abs(right.target - 1)).toBeLessThan(0.15);

  const cheap: CostModel = { ...model, draft: model.draft.map((one) => one / 2) };
  const { draft, target } = await timePlan(request, cheap, plan);
  expect(draft).toBeCloseTo(2 * right.draft, 6);
  expect(target).toBeCloseTo(right.target, 6);
  // Put right, it says what the right one says.
  const shape = draftShape(planGraph(plan, engine.model), engine.config);
  const [put, said] = [cheap, model].map((one) => priceDraft(one, shape, 40));
  expect(repriced(put!, { draft: 2, target: 1 }).pass).toBeCloseTo(said!.pass, 9);
  const dearer = repriced(said!, { draft: 1, target: 1.5 });
  expect(dearer.target[1]).toBe(said!.target[1]);
  expect(dearer.target[3]).toBeCloseTo(1.5 * said!.target[3]!, 9);
});
