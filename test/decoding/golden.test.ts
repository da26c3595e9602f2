import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DraftExit } from '../../src/decoding/draft-exit.js';
import { complete } from '../../src/decoding/generate.js';
import { skipPlan } from '../../src/profile/draft-plan.js';
import { hasShared, loadEngine, shared } from '../helpers/engine.js';
import { uniforms } from '../helpers/random.js';

const exits: DraftExit[] = [
  { exit: 'fixed' },
  { exit: 'threshold', threshold: 0.5 },
  { exit: 'adaptive', threshold: 0.8 },
];

// Golden greedy tokens of published checkpoints, computed elsewhere (see ../shared/models).
describe.skipIf(!hasShared)('golden greedy tokens (skipped without ../shared)', () => {
  it.each(['tinystories-656k', 'stories260k'])(
    '%s: every method, 50 masks, every exit rule',
    async (name) => {
      const directory = join(shared, 'models', name);
      const golden = JSON.parse(readFileSync(join(directory, 'golden_greedy.json'), 'utf8')) as {
        prompt_ids: number[];
        greedy_ids: number[];
      };
      // One thread: two are slower at this size.
      const engine = await loadEngine(directory, 'fp32', 1);
      const prompt = golden.prompt_ids;
      const expected = golden.greedy_ids.slice(prompt.length);
      const request = { prompt, maxNewTokens: expected.length, ignoreEos: true };
      expect((await complete(engine, request)).tokens).toEqual(expected);
      expect((await complete(engine, { ...request, method: { name: 'lookup' } })).tokens).toEqual(
        expected,
      );
      const random = uniforms(7);
      const layers = Array.from({ length: engine.config.layers }, (_, l) => l);
      const masks = new Set<string>();
      // Two layers have only 16 masks: there the draws repeat with other draft lengths.
      for (let i = 0; i < 51; i++) {
        const mask = {
          attention: layers.filter(() => random() < 0.5),
          mlp: layers.filter(() => random() < 0.5),
        };
        masks.add(JSON.stringify(mask));
        const draftLength = 1 + Math.floor(random() * 10);
        for (const exit of exits) {
          const method = { name: 'skip', plan: skipPlan(mask), draftLength, exit } as const;
          const { tokens } = await complete(engine, { ...request, method });
          expect(tokens, JSON.stringify(method)).toEqual(expected);
        }
      }
      expect(masks.size).toBeGreaterThan(10);
      await engine.close();
    },
  );
});
