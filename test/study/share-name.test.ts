import { expect, it } from 'vitest';
import { datasetOfShare, shareName } from '../../src/study/share-name.js';

it('of a share the dataset can be told, and other names stay as they are', () => {
  for (const part of ['share 0.3, seed 0', 'the rest of share 0.3, seed -4'])
    expect(datasetOfShare(shareName('my prompts (old)', part))).toBe('my prompts (old)');
  expect(datasetOfShare('my prompts (old)')).toBe('my prompts (old)');
});
