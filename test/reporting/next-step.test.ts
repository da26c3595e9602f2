import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { nextStep } from '../../src/reporting/next-step.js';
import { shellQuote } from '../../src/reporting/shell-quote.js';

const demo = { reference: 'demo', precision: 'int8' } as const;

describe('the next step after a search', () => {
  it('is a command with all that the profile needs', () => {
    expect(nextStep('faster', 'p.json', demo)).toContain(
      'sspec generate --profile p.json --prompt TEXT',
    );
    const other = { reference: '/my models/a.gguf', precision: 'fp32' } as const;
    expect(nextStep('faster', "o'p.json", other)).toContain(
      "sspec generate --model '/my models/a.gguf' --precision fp32 --profile 'o'\\''p.json' --prompt TEXT",
    );
  });

  it.each(['slower', 'not distinguishable from 1.0x'])(
    'is no decoding where it is %s',
    (verdict) => {
      const text = nextStep(verdict, 'p.json', demo);
      expect(text).toContain('gains nothing');
      expect(text).not.toContain('generate');
    },
  );

  it('claims neither where too little was measured', () => {
    const text = nextStep(null, 'p.json', demo);
    expect(text).not.toContain('gains nothing');
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
