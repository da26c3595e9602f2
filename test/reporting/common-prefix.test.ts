import { expect, it } from 'vitest';
import { withoutCommonPrefix } from '../../src/reporting/common-prefix.js';

it('leaves out what all names begin with, up to a separator, where that is long', () => {
  const names = [
    'smollm2-code-seed-1.json',
    'smollm2-code-seed-12.json',
    'smollm2-code-seed-1.json',
  ];
  expect(withoutCommonPrefix(names)).toEqual(['1.json', '12.json', '1.json']);
  expect(withoutCommonPrefix(['spec_bench:qa', 'spec_bench:rag'])).toEqual(['qa', 'rag']);
  for (const kept of [['a-1', 'a-2'], ['spec_bench:qa'], ['transformers1', 'transformers2'], []])
    expect(withoutCommonPrefix(kept)).toEqual(kept);
});
