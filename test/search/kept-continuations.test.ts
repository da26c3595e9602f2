import { expect, it, vi } from 'vitest';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import { calibrateCosts } from '../../src/search/cost/calibrate.js';
import { keptContinuations } from '../../src/search/kept-continuations.js';
import { createLadder } from '../../src/search/ladder.js';
import { ladderShortlist } from '../../src/search/shortlist.js';
import { journalStorage } from '../../src/study/journal.js';
import type { Trial } from '../../src/study/state.js';
import { loadMiniature } from '../helpers/engine.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { settings, somePrompts, studyStart } from './example.js';

it('what comes before the race is made once for a study, by whoever comes first', async () => {
  const engine = await loadMiniature({ layers: 4, innerScale: 0.2 }, 'int8', 1);
  const storage = journalStorage(temporaryDirectory());
  const study = await storage.open('s', studyStart('bo'), { resume: false });
  const passes = [vi.spyOn(engine, 'forward'), vi.spyOn(engine, 'mostProbable')];
  const prompts = somePrompts(5, 1);
  const tokens = prompts.map((prompt) => prompt.tokens);
  const calibration = await calibrateCosts({ engine, prompts: tokens, settings, seed: 1 });
  const scored = async (kept?: ReturnType<typeof keptContinuations>) => {
    for (const pass of passes) pass.mockClear();
    const options = { engine, calibration, prompts, fitting: [], promptsPerTrial: 3, settings };
    const ladder = await createLadder({ ...options, ...(kept && { kept }) });
    const { records } = (await ladder.replay(Uint8Array.of(0, 0, 1, 1, 1, 1, 0, 0)))[0]!;
    await ladder.close();
    return { passes: passes.reduce((sum, { mock }) => sum + mock.calls.length, 0), records };
  };
  const first = await scored(keptContinuations(study, settings, (note) => study.append(note)));
  const read = await storage.read('s');
  expect(read.events).toHaveLength(1);
  const second = await scored(keptContinuations(read, settings));
  expect(second.records).toEqual(first.records);
  // Lookups save a few.
  expect(first.passes).toBeGreaterThan(0.8 * prompts.length * settings.maxNewTokens);
  expect(second.passes).toBeLessThan(first.passes / 3);
  // Of other settings nothing is known.
  const sampled = { ...settings, sampling: { ...GREEDY, temperature: 1, seed: 2 } };
  expect(keptContinuations(read, sampled).find(tokens[0]!)).toBeUndefined();

  const ladder = await createLadder({
    ...{ engine, calibration, prompts, fitting: [], promptsPerTrial: 3, settings },
    kept: keptContinuations(read, settings),
  });
  const trials: Trial[] = [];
  for (let number = 0; number < 6; number++) {
    const mask = Uint8Array.from({ length: 8 }, (_, bit) => Number(bit > number));
    const draft = { exit: 'fixed', draftLength: 4, threshold: 0 } as const;
    const proposed = { mask, draft };
    trials.push({ ...(await ladder.score(proposed)), number, proposed });
  }
  const replay = vi.fn(ladder.replay);
  const shortlist = () => ladderShortlist({ ...ladder, replay }, study, trials, 1, () => {});
  const whole = await shortlist();
  expect(replay).toHaveBeenCalledTimes(3);
  replay.mockClear();
  expect(await shortlist()).toEqual(whole);
  expect(replay).toHaveBeenCalledTimes(1);

  await ladder.close();
  await study.close();
  await engine.close();
});
