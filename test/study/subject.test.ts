import { expect, it } from 'vitest';
import { studySubject } from '../../src/study/subject.js';

it('takes the model from the notes and the dataset from the header', () => {
  const dataset = { name: 'prompts (the rest of share 0.3, seed 0)', hash: 'x' };
  expect(studySubject({ context: { dataset } }, { notes: { model: './m' } })).toEqual({
    model: './m',
    dataset: 'prompts',
  });
  expect(studySubject({ context: { dataset: 'x' } }, { notes: { model: 1 } })).toEqual({
    model: null,
    dataset: null,
  });
});
