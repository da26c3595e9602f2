import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import Generate from '../../commands/generate.js';
import { METRIC_NAMES, METRICS } from '../../src/metrics/registry.js';
import type { Profile } from '../../src/profile/schema.js';
import { writeMiniature } from '../helpers/miniature.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleCosts, exampleProfile } from '../profile/example.js';
import { expectRefused, runCommand } from './run.js';

const unique = (names: readonly string[]) => [...new Set(names)].sort();
const generate = (...argv: string[]) => runCommand(Generate, argv);
const story = ['--prompt', 'Once upon a time', '--max-new-tokens', '24'];
const mask = ['--skip-attention', '3,5', '--skip-mlp', '4'];
let mini: string;
const tiny = () => ['--model', mini, '--max-new-tokens', '8', '--threads', '1'];

beforeAll(() => {
  mini = writeMiniature(temporaryDirectory(), { contextLength: 64 }).directory;
});

async function document(...argv: string[]) {
  const result = await generate(...argv, '--json');
  expect(result.code, result.stdout).toBe(0);
  return JSON.parse(result.stdout);
}

describe('the JSON document of sspec generate', () => {
  it('has the fields of the contract', async () => {
    const { stats, ...rest } = await document(...story, ...mask, '--draft-length', '4');
    expect(Object.keys(rest).sort()).toEqual(
      [
        'finish_reason',
        'method',
        'model',
        'precision',
        'prompt_tokens',
        'text',
        'token_ids',
      ].sort(),
    );
    expect(rest).toMatchObject({ model: 'demo', precision: 'int8', method: 'skip' });
    expect(rest.finish_reason).toBe('length');
    expect(rest.token_ids).toHaveLength(24);
    expect(Object.keys(stats).sort()).toEqual(
      unique([
        'wall_seconds',
        'prefill_seconds',
        'decode_seconds',
        'tokens_per_second',
        'target_passes',
        'draft_passes',
        'proposed_tokens',
        'accepted_tokens',
        'draft_acceptance_rate',
        'mean_acceptance_length',
        'peak_memory_bytes',
        ...METRIC_NAMES.filter((name) => !METRICS[name].needsBaseline),
      ]),
    );
    expect(stats.draft_acceptance_rate).toBe(stats.accepted_tokens / stats.proposed_tokens);
    expect(stats.mean_acceptance_length).toBe(23 / stats.target_passes);
    expect(stats.wall_seconds).toBeGreaterThanOrEqual(stats.decode_seconds);
    expect(stats.peak_memory_bytes).toBeGreaterThan(1e7);
  });

  it('has null for ratios of nothing, and no text without a tokenizer', async () => {
    const { text, stats } = await document('--prompt-ids', '1,2', ...tiny());
    expect(text).toBeNull();
    expect(stats.draft_acceptance_rate).toBeNull();
    expect(stats.mean_acceptance_length).toBe(1);
  });

  it('holds the error where there is one, and nothing else is written', async () => {
    const result = await generate('--prompt', '', '--json');
    expect(JSON.parse(result.stdout)).toEqual({
      error: { code: 'input', message: expect.stringContaining('prompt is empty') },
    });
    expect(result).toMatchObject({ code: 2, stderr: '' });
    const usage = await generate('--json', '--precison', 'int8');
    expect(JSON.parse(usage.stdout).error).toEqual({
      code: 'usage',
      message: 'Unknown flag: --precison (did you mean --precision?); see --help.',
    });
    expect(usage.code).toBe(2);
  });
});

describe('what sspec generate writes', () => {
  it('is the same text for every method', async () => {
    const plain = await generate(...story);
    const drafted = await generate(...story, ...mask);
    const lookup = await generate(...story, '--method', 'lookup');
    const cascade = await generate(...story, ...mask, '--method', 'cascade');
    expect(plain.stdout).toMatch(/\S.{40,}\n$/s);
    expect(drafted.stdout).toBe(plain.stdout);
    expect(lookup.stdout).toBe(plain.stdout);
    expect(cascade.stdout).toBe(plain.stdout);
    expect((await document(...story)).text).toBe(plain.stdout.slice(0, -1));
  });

  it('repeats for a seed, and differs between seeds', async () => {
    const sampled = async (seed: string) =>
      (await generate(...story, '--temperature', '1', '--seed', seed, ...mask)).stdout;
    const first = await sampled('1');
    expect(await sampled('1')).toBe(first);
    expect(await sampled('2')).not.toBe(first);
  });

  it('ends before a stop text', async () => {
    const { text } = await document(...story);
    const word = text.split(' ')[3];
    const stopped = await document(...story, '--stop', word, '--stop', 'never this');
    expect(stopped).toMatchObject({
      finish_reason: 'stop',
      text: text.slice(0, text.indexOf(word)),
    });
  });

  it('is token ids where there is no tokenizer', async () => {
    const { token_ids } = await document('--prompt-ids', '1,2', ...tiny());
    const { stdout } = await generate('--prompt-ids', '1,2', ...tiny());
    expect(stdout).toBe(`${token_ids.join(',')}\n`);
  });

  it('takes the prompt from a file without its last line break', async () => {
    const file = join(temporaryDirectory(), 'prompt.txt');
    writeFileSync(file, 'Once upon a time\n');
    const fromFile = await document('--prompt-file', file, '--max-new-tokens', '24');
    const { token_ids, prompt_tokens } = await document(...story);
    expect(fromFile).toMatchObject({ token_ids, prompt_tokens });
  });

  it('has a table of figures on stderr with --stats', async () => {
    const { stdout, stderr } = await generate(...story, ...mask, '--stats');
    expect(stdout).toBe((await generate(...story)).stdout);
    expect(stderr).toMatch(/^method +skip$/m);
    expect(stderr).toMatch(/^accepted +\d+ of \d+ proposed tokens$/m);
    expect(stderr).toMatch(/^peak memory +[\d.]+ MiB$/m);
  });

  it.each([
    ['text', story],
    ['ids', ['--prompt-ids', '7,8']],
  ])('shows where each token came from (%s)', async (kind, prompt) => {
    const model = kind === 'ids' ? ['--model', mini, '--max-new-tokens', '24'] : [];
    // Enough of either model that some of its drafts are wrong.
    const layers = kind === 'ids' ? '1-2' : '1-20';
    const argv = [
      ...prompt,
      ...model,
      '--skip-attention',
      layers,
      '--skip-mlp',
      layers,
      '--draft-exit',
      'fixed',
    ];
    const { stats } = await document(...argv);
    const { stdout, stderr } = await generate(...argv, '--show-draft');
    expect(stderr).toContain('corrected by the target');
    expect(stdout.replace(/[[\]{}]/g, '')).toBe((await generate(...argv)).stdout);
    const own = stdout.match(/\[/g)?.length ?? 0;
    const corrected = stdout.match(/\{/g)?.length ?? 0;
    // The prefill's token, then one of the target's in every round.
    expect(own + corrected).toBe(1 + stats.target_passes);
    expect(stats.proposed_tokens - stats.accepted_tokens).toBeGreaterThanOrEqual(corrected);
    expect(corrected).toBeGreaterThan(0);
  });
});

describe('sspec generate with a profile', () => {
  const write = (change: Partial<Profile>) => {
    const file = join(temporaryDirectory(), 'profile.json');
    writeFileSync(file, JSON.stringify({ ...exampleProfile, ...change }));
    return file;
  };
  const hashOf = async () => {
    const { loadModel } = await import('../../src/engine/load-model.js');
    const { engine } = await loadModel(mini);
    await engine.close();
    return engine.model.weightsHash;
  };

  it('refuses one of another model', async () => {
    const other = write({ model: { ...exampleProfile.model, layers: 24, reference: 'demo' } });
    expectRefused(await generate(...story, '--profile', other), /weights_hash/);
    expectRefused(
      await generate('--prompt-ids', '1', ...tiny(), '--profile', other),
      /model\.layers/,
    );
  });

  it('drafts with it, warns where circumstances differ, and lets flags go first', async () => {
    const model = { ...exampleProfile.model, layers: 4, weights_hash: await hashOf() };
    const draft = { draft_length: 3, draft_exit: 'fixed', threshold: 0 } as const;
    const file = write({ model, draft, skip_attention: [1], skip_mlp: [2], pareto: [] });
    const argv = ['--prompt-ids', '5', ...tiny(), '--profile', file];
    const result = await generate(...argv, '--json');
    expect(result.stderr).toMatch(/^Note: The profile was measured with another CPU/m);
    const own = JSON.parse(result.stdout);
    expect(own.method).toBe('skip');
    expect(own.stats.proposed_tokens).toBeGreaterThan(0);

    expect((await generate(...argv, '-q')).stderr).toBe('');
    const plain = await document(...argv, '--method', 'autoregressive');
    expect(plain).toMatchObject({ method: 'autoregressive', token_ids: own.token_ids });
    // Nothing skipped: the draft is the target, and with K = 1 every round accepts one token.
    const full = await document(
      ...argv,
      '--skip-attention',
      '',
      '--skip-mlp',
      '',
      '--draft-length',
      '1',
      // In which drafts have the target's own weights.
      '--precision',
      'fp32',
    );
    expect(full.stats.draft_acceptance_rate).toBe(1);
    expect(full.stats.mean_acceptance_length).toBeLessThanOrEqual(2);
  });

  it('drafts by cost with the costs of a profile, and by no other', async () => {
    const model = { ...exampleProfile.model, layers: 4, weights_hash: await hashOf() };
    const own = { model, skip_attention: [1], skip_mlp: [2], pareto: [] };
    const rule = { draft_length: 2, threshold: 0.5 };
    const priced = write({ ...own, draft: { ...rule, draft_exit: 'cost', costs: exampleCosts } });
    const bare = write({ ...own, draft: { ...rule, draft_exit: 'adaptive' } });
    const argv = ['--prompt-ids', '5', ...tiny(), '--profile'];
    const plain = await document(...argv, priced, '--method', 'autoregressive');
    for (const method of ['skip', 'cascade']) {
      const made = await document(...argv, priced, '--method', method);
      expect(made).toMatchObject({ method, token_ids: plain.token_ids });
      expect(made.stats.proposed_tokens).toBeGreaterThan(0);
    }
    const cost = ['--draft-exit', 'cost'];
    expectRefused(await generate(...argv, bare, ...cost), /"cost" needs the costs .*draft\.costs/);
    const otherMask = ['--skip-mlp', '1'];
    expectRefused(await generate(...argv, priced, ...otherMask), /those of its own mask/);
    expectRefused(await generate(...argv, priced, '--draft-length', '3'), /end at drafts of 2/);
    expectRefused(await generate(...argv, priced, '--threshold', '0.5'), /no use/);
    const adaptive = await document(...argv, priced, ...otherMask, '--draft-exit', 'adaptive');
    expect(adaptive.token_ids).toEqual(plain.token_ids);
  });
});
