import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  draftWeightsHash,
  encodeDraftWeights,
  readDraftWeights,
  roundedToHalf,
} from '../../src/engine/draft-weights.js';
import { InputError } from '../../src/errors.js';
import {
  type Bridge,
  bridgeOutline,
  type DraftPlan,
  skipPlan,
} from '../../src/profile/draft-plan.js';
import { randomPlan, withoutMemory } from '../helpers/plans.js';
import { temporaryDirectory } from '../helpers/temporary.js';

const size = { layers: 4, hiddenSize: 16, vocabSize: 50 };
const mask = { attention: [1, 2], mlp: [1, 3] };
const plan = randomPlan(mask, size, 2);
const shapeOf = ({ bridges, words }: DraftPlan) => ({
  ...{ bridges: bridges.map(bridgeOutline), words: words?.length ?? null },
  ...{ hiddenSize: size.hiddenSize, vocabSize: size.vocabSize },
});

let file: string;
beforeEach(() => {
  file = join(temporaryDirectory(), 'weights.safetensors');
});

/** Writes the bytes, and reads them with their own hash. */
function reread(bytes: Uint8Array, shape = shapeOf(plan)) {
  writeFileSync(file, bytes);
  return readDraftWeights(file, draftWeightsHash(bytes), shape);
}

const asStored = (bridge: Bridge): Bridge => ({
  ...bridge,
  weight: roundedToHalf(bridge.weight),
  ...(bridge.memory && { memory: roundedToHalf(bridge.memory) }),
  bias: roundedToHalf(bridge.bias),
});

describe('draft weights', () => {
  it.each<[string, DraftPlan]>([
    ['bridges and words', plan],
    ['bridges', { ...plan, words: null }],
    ['words', { ...plan, bridges: [] }],
  ])('are read as they were written: %s', (_, own) => {
    const read = reread(encodeDraftWeights(own)!, shapeOf(own));
    expect(read).toEqual({ bridges: own.bridges.map(asStored), words: own.words });
  });

  it('are none of a plan that only skips', () => {
    expect(encodeDraftWeights(skipPlan(mask))).toBeNull();
  });

  it('have a header in which the data is aligned', () => {
    const bytes = Buffer.from(encodeDraftWeights(plan)!);
    expect(Number(bytes.readBigUInt64LE()) % 8).toBe(0);
  });
});

describe('a file of draft weights is refused', () => {
  const bytes = encodeDraftWeights(plan)!;
  const [bridge] = plan.bridges as [Bridge, ...Bridge[]];
  const name = `bridge.${bridge.from}-${bridge.to}`;
  const forgetful = { ...plan, bridges: plan.bridges.map(withoutMemory) };
  const withWords = (words: number[]) =>
    encodeDraftWeights({ ...plan, words: Int32Array.from(words) })!;
  const withBridge = (changes: Partial<Bridge>) => {
    const changed = { ...bridge, ...changes };
    return encodeDraftWeights({ ...plan, bridges: [changed, ...plan.bridges.slice(1)] })!;
  };
  const spoilt = (part: 'weight' | 'bias', value: number) => {
    const values = bridge[part].slice();
    values[3] = value;
    return withBridge({ [part]: values });
  };
  const asFloat = Buffer.from(
    Buffer.from(bytes).toString('latin1').replace('"I32"', '"F32"'),
    'latin1',
  );
  const ofWords = (count: number) => ({ ...shapeOf(plan), words: count });
  const narrower = { ...shapeOf(plan), hiddenSize: 8 };

  it.each<[string, Uint8Array, ReturnType<typeof shapeOf>, string[]]>([
    ['a memory missing', encodeDraftWeights(forgetful)!, shapeOf(plan), [`${name}.memory`]],
    ['a tensor missing', encodeDraftWeights({ ...plan, words: null })!, shapeOf(plan), ['words']],
    ['another run', withBridge({ to: bridge.to + 1 }), shapeOf(plan), [`${name}.weight`]],
    ['fewer words', bytes, ofWords(plan.words!.length - 1), ['words', `${plan.words!.length}`]],
    ['words of another type', asFloat, shapeOf(plan), ['words', 'F32']],
    ['another hidden size', bytes, narrower, [`${name}.weight`, '16,16']],
    ['words that do not ascend', withWords([1, 3, 3]), ofWords(3), ['words', 'ascending']],
    ['words that fall', withWords([1, 4, 3]), ofWords(3), ['words', 'ascending']],
    ['a negative word', withWords([-1, 4]), ofWords(2), ['words']],
    ['a word above the vocabulary', withWords([1, 50]), ofWords(2), ['words', '50']],
    ['no number in a weight', spoilt('weight', Number.NaN), shapeOf(plan), [`${name}.weight`]],
    ['an infinite bias', spoilt('bias', 1e9), shapeOf(plan), [`${name}.bias`]],
    ['cut off', bytes.subarray(0, bytes.length - 2), shapeOf(plan), []],
    ['cut off in its header', bytes.subarray(0, 30), shapeOf(plan), []],
    ['empty', new Uint8Array(0), shapeOf(plan), []],
    ['too large', Buffer.concat([bytes, Buffer.alloc(2 ** 21)]), shapeOf(plan), ['more than']],
  ])('%s', (_, own, shape, words) => {
    const reading = () => reread(own, shape);
    expect(reading).toThrow(InputError);
    for (const word of [file, ...words]) expect(reading).toThrow(word);
    expect(reading).toThrow(/^[^\n]+\.$/);
  });

  it('of another hash, and one that is not there', () => {
    writeFileSync(file, bytes);
    const other = () => readDraftWeights(file, '0'.repeat(64), shapeOf(plan));
    expect(other).toThrow(InputError);
    expect(other).toThrow(`${file} is not the file`);
    const lost = `${file}.gone`;
    expect(existsSync(lost)).toBe(false);
    const missing = () => readDraftWeights(lost, '0'.repeat(64), shapeOf(plan));
    expect(missing).toThrow(InputError);
    expect(missing).toThrow(lost);
  });
});
