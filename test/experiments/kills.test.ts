import { expect, it } from 'vitest';
import { killSearches } from '../../experiments/lib/kill-searches.js';
import {
  hasPostgres,
  startPostgres,
  type TestServer,
  WITHOUT_POSTGRES,
} from '../helpers/postgres.js';
import { temporaryDirectory } from '../helpers/temporary.js';

const minutes = 60_000;

/** A short run of experiments/kills.ts. */
async function expectNothingLost(sampler: string, server?: TestServer): Promise<void> {
  const trials = 12;
  const run = { sampler, kills: 2, trials, workers: 2, seed: 1, ...(server && { server }) };
  const found = await killSearches({ folder: temporaryDirectory(), ...run });
  expect(found.problems).toEqual([]);
  expect(found.kills.search + found.kills.worker).toBeGreaterThanOrEqual(2);
  expect(found.trials).toBe(trials * found.studies);
  expect(found.equal_plans).toBe(found.trials);
}

it(
  'a search that is killed loses and doubles nothing, and finds what one finds that is not',
  async () => {
    await expectNothingLost('bo');
  },
  10 * minutes,
);

it.runIf(hasPostgres)(
  `neither does one with workers${WITHOUT_POSTGRES}`,
  async () => {
    const server = await startPostgres(temporaryDirectory());
    // What random proposes depends on no score: whoever scores when, the plans are the same.
    await expectNothingLost('random', server).finally(() => server.stop('immediate'));
  },
  10 * minutes,
);
