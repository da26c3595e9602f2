import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { nextStep } from '../../src/reporting/next-step.js';
import { shellQuote } from '../../src/reporting/shell-quote.js';
import type { SearchDocument } from '../../src/search/search-document.js';
import { noMetrics } from '../helpers/no-metrics.js';

const demo = { reference: 'demo', precision: 'int8' } as const;

const none: SearchDocument['holdout'] = {
  ...noMetrics,
  ...{ speedup: null, speedup_ci95: null, verdict: null, prompts: 0, new_tokens: 0 },
  per_kind: {},
};
const dataset = { name: 'a', split: null, version: 1, hash: 'b', prompts: 48 };
const found = (
  method: SearchDocument['method'],
  profile: string,
  verdict: string | null,
  prompts = 48,
) => ({
  ...{ method, profile, holdout: { ...none, verdict, prompts } },
  prompts: { calibration: dataset, holdout: dataset },
});

describe('the next step after a search', () => {
  it('is a command with all that the profile needs', () => {
    expect(nextStep(found('skip', 'p.json', 'faster'), demo)).toContain(
      'sspec generate --profile p.json --prompt TEXT',
    );
    const other = { reference: '/my models/a.gguf', precision: 'fp32' } as const;
    expect(nextStep(found('lookup', "o'p.json", 'faster'), other)).toContain(
      "sspec generate --model '/my models/a.gguf' --precision fp32 --profile 'o'\\''p.json' --prompt TEXT",
    );
  });

  it('chats where the search did', () => {
    const chat = { ...dataset, chat_template: true as const };
    const prompts = { calibration: chat, holdout: chat };
    expect(nextStep({ ...found('lookup', 'p.json', 'faster'), prompts }, demo)).toContain(
      'sspec generate --profile p.json --chat --prompt TEXT',
    );
  });

  it('claims nothing of too few prompts', () => {
    const text = nextStep(found('autoregressive', 'p.json', 'faster', 3), demo);
    expect(text).toContain('Too little was measured');
    expect(text).not.toContain('generate');
  });

  it.each(['slower', 'not distinguishable from 1.0x'])(
    'is no decoding where it is %s',
    (verdict) => {
      const text = nextStep(found('autoregressive', 'p.json', verdict), demo);
      expect(text).toContain('Nothing gains');
      expect(text).toContain('decodes autoregressively');
      expect(text).not.toContain('generate');
    },
  );

  it('is told within the terminal, words in one piece', () => {
    const few = nextStep(found('autoregressive', 'p.json', null), demo, 80);
    expect(few.split('\n').slice(0, 2)).toEqual([
      'Too little was measured to say whether anything gains: p.json decodes',
      'autoregressively.',
    ]);
    const long = `${'long/'.repeat(20)}p.json`;
    const text = nextStep(found('skip', long, 'faster'), demo, 80);
    expect(text).toContain(`\n  sspec generate --profile ${long} --prompt TEXT`);
    expect(text).toContain(`Profile written to\n${long};\ndecode with it:`);
  });

  it('claims neither where too little was measured', () => {
    const text = nextStep(found('autoregressive', 'p.json', null), demo);
    expect(text).not.toContain('Nothing gains');
    expect(text).not.toContain('generate');
  });
});

describe('quoting', () => {
  it.each(['plain-1.json', 'a b', "it's", '$HOME', '*', '', 'a;b', '~', '"x"'])(
    '%j is read back',
    (word) => {
      const back = execFileSync('sh', ['-c', `printf %s ${shellQuote(word)}`], {
        encoding: 'utf8',
      });
      expect(back).toBe(word);
    },
  );
});
