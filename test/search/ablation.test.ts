import { expect, it } from 'vitest';
import { loadModel } from '../../src/engine/load-model.js';
import type { DraftPlan } from '../../src/profile/draft-plan.js';
import { noteAblation } from '../../src/search/ablation.js';
import { calibrateCosts } from '../../src/search/cost/calibrate.js';
import { createLadder } from '../../src/search/ladder.js';
import { bestRule } from '../../src/search/replay/best-rule.js';
import { journalStorage } from '../../src/study/journal.js';
import { studyNotes } from '../../src/study/notes.js';
import { summariseStudy } from '../../src/study/summary.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { settings, somePrompts, someRequest, studyStart, writeSearchModel } from './example.js';

it('tells what bridges, their memory and a smaller head give, each at its best draft length', async () => {
  const { engine, close } = await loadModel(writeSearchModel(), { threads: 1 });
  const storage = journalStorage(temporaryDirectory());
  const study = await storage.open('s', studyStart('bo'), { resume: false });
  const { calibration: prompts } = someRequest(study);
  const tokens = prompts.map((prompt) => prompt.tokens);
  const calibration = await calibrateCosts({ engine, prompts: tokens, settings, seed: 1 });
  // Others than are scored, so that there is a memory.
  const fitting = somePrompts(8, 3);
  const options = { engine, calibration, prompts, fitting, promptsPerTrial: 3, settings };
  const ladder = await createLadder(options);
  const mask = Uint8Array.of(0, 0, 1, 1, 1, 1, 0, 0);
  const [bridged] = await ladder.replay(mask);
  const whole = { ...bridged!.plan, words: Int32Array.of(1, 2, 3) };
  expect(whole.bridges).toMatchObject([{ from: 2, to: 6, memory: expect.any(Float32Array) }]);

  await noteAblation(ladder, study, mask, { ...whole, bridges: [], words: null });
  expect((await storage.read('s')).events).toHaveLength(0);
  await noteAblation(ladder, study, mask, whole);
  const record = await storage.read('s');
  const { ablation = [] } = studyNotes(summariseStudy(record), record.header, 's');
  const parts = ablation.map(({ bridges, memories, head_words }) => [
    bridges,
    memories,
    head_words,
  ]);
  expect(parts).toEqual([
    [0, 0, null],
    [1, 0, null],
    [1, 1, null],
    [0, 0, 3],
    [1, 0, 3],
    [1, 1, 3],
  ]);
  const predicted = async (plan: DraftPlan) => bestRule(await ladder.replayPlan(plan)).time.speedup;
  expect(ablation[5]!.predicted_speedup).toBe(await predicted(whole));
  const bridges = [await ladder.bridge(whole.bridges[0]!)];
  expect(ablation[4]!.predicted_speedup).toBe(await predicted({ ...whole, bridges }));
  const plain = { ...whole, bridges: [], words: null };
  expect(ablation[0]!.predicted_speedup).toBe(await predicted(plain));

  await ladder.close();
  await study.close();
  await close();
});
