import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkDraftWeights, draftWeightsHash } from '../../src/engine/draft-weights.js';
import { InputError } from '../../src/errors.js';
import type { DraftPlan } from '../../src/profile/draft-plan.js';
import { readProfile } from '../../src/profile/profile.js';
import type { Profile } from '../../src/profile/schema.js';
import { draftWeightsFile, saveProfile, updateSaved } from '../../src/search/save-profile.js';
import { randomPlan } from '../helpers/plans.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { exampleProfile } from '../profile/example.js';

const mask = { attention: exampleProfile.skip_attention, mlp: exampleProfile.skip_mlp };
const planOf = (seed: number) =>
  randomPlan(mask, { layers: 12, hiddenSize: 8, vocabSize: 100 }, seed);

let file: string;
beforeEach(() => {
  file = join(temporaryDirectory(), 'best.json');
});

/** A profile of a plan, and its draft weights, as a search has them. */
function pairOf(plan: DraftPlan, output = file): { profile: Profile; bytes: Uint8Array } {
  const { entry, bytes } = draftWeightsFile(plan, output)!;
  const profile: Profile = {
    ...exampleProfile,
    version: 2,
    bridges: plan.bridges.map(({ from, to }) => ({ from, to })),
    head_words: plan.words!.length,
    draft_weights: entry,
  };
  return { profile, bytes };
}

const save = ({ profile, bytes }: ReturnType<typeof pairOf>) => saveProfile(file, profile, bytes);
/** The files are a profile and its draft weights, and nothing else. */
function expectPair({ profile, bytes }: ReturnType<typeof pairOf>, at = file): void {
  const weights = profile.draft_weights!;
  expect(readProfile(at)).toEqual(profile);
  const stored = readFileSync(join(dirname(at), weights.file));
  expect(draftWeightsHash(stored)).toBe(weights.sha256);
  expect(stored.equals(bytes)).toBe(true);
  expect(readdirSync(dirname(at)).sort()).toEqual([basename(at), weights.file].sort());
}

describe('saveProfile', () => {
  it('writes a pair, named after the profile and its hash', () => {
    const pair = pairOf(planOf(1));
    save(pair);
    expectPair(pair);
    expect(pair.profile.draft_weights!.file).toMatch(/^best\.[0-9a-f]{8}\.safetensors$/);
  });

  it('replaces a pair by another, and by a profile without weights', () => {
    save(pairOf(planOf(1)));
    const other = pairOf(planOf(2));
    save(other);
    expectPair(other);
    save(other);
    expectPair(other);
    saveProfile(file, exampleProfile, null);
    expect(readdirSync(dirname(file))).toEqual(['best.json']);
  });

  it('leaves the old pair whole where the profile cannot be written', () => {
    const old = pairOf(planOf(1));
    save(old);
    const other = pairOf(planOf(2));
    const bad = { ...other.profile, head_words: 0 };
    expect(() => saveProfile(file, bad, other.bytes)).toThrow(InputError);
    const weights = old.profile.draft_weights!;
    expect(readProfile(file)).toEqual(old.profile);
    expect(draftWeightsHash(readFileSync(join(dirname(file), weights.file)))).toBe(weights.sha256);
  });

  it('puts the weights of a link beside the file that it leads to, where a reader of the link finds them', () => {
    save(pairOf(planOf(1)));
    const link = join(temporaryDirectory(), 'link.json');
    symlinkSync(file, link);
    const pair = pairOf(planOf(2), link);
    expect(saveProfile(link, pair.profile, pair.bytes)).toBe(true);
    expectPair(pair);
    expect(readdirSync(dirname(link))).toEqual(['link.json']);
    const model = { ...pair.profile.model, hidden_size: 8, vocab_size: 100 };
    expect(() => checkDraftWeights({ ...pair.profile, model }, link)).not.toThrow();
    expect(updateSaved(link, pair.profile, file)).toBe(true);
    expect(readdirSync(dirname(link))).toEqual(['link.json']);
  });

  it('writes no weights beside a device, and says so', () => {
    const before = readdirSync('/dev');
    const pair = pairOf(planOf(1), '/dev/null');
    expect(saveProfile('/dev/null', pair.profile, pair.bytes)).toBe(false);
    expect(saveProfile('/dev/null', exampleProfile, null)).toBe(true);
    expect(updateSaved('/dev/null', pair.profile, file)).toBe(true);
    expect(readdirSync('/dev')).toEqual(before);
  });

  it('writes over what is no profile', () => {
    writeFileSync(file, 'no profile');
    const pair = pairOf(planOf(1));
    save(pair);
    expectPair(pair);
  });
});

describe('updateSaved', () => {
  let elsewhere: string;
  beforeEach(() => {
    elsewhere = join(temporaryDirectory(), 'other', 'again.json');
    mkdirSync(dirname(elsewhere));
  });

  it('takes the weights from where they were first written', () => {
    const pair = pairOf(planOf(1));
    save(pair);
    expect(updateSaved(elsewhere, pair.profile, file)).toBe(true);
    expectPair(pair, elsewhere);
    rmSync(dirname(file), { recursive: true });
    expect(updateSaved(elsewhere, pair.profile, file)).toBe(true);
    expectPair(pair, elsewhere);
  });

  it('says where they are lost, or others, and writes nothing', () => {
    const pair = pairOf(planOf(1));
    expect(updateSaved(elsewhere, pair.profile, file)).toBe(false);
    save(pair);
    writeFileSync(join(dirname(file), pair.profile.draft_weights!.file), 'other');
    expect(updateSaved(elsewhere, pair.profile, file)).toBe(false);
    expect(readdirSync(dirname(elsewhere))).toEqual([]);
  });

  it('mends weights that were spoilt', () => {
    const pair = pairOf(planOf(1));
    save(pair);
    expect(updateSaved(elsewhere, pair.profile, file)).toBe(true);
    writeFileSync(join(dirname(elsewhere), pair.profile.draft_weights!.file), 'spoilt');
    expect(updateSaved(elsewhere, pair.profile, file)).toBe(true);
    expectPair(pair, elsewhere);
  });

  it('writes a profile without weights', () => {
    expect(updateSaved(elsewhere, exampleProfile, file)).toBe(true);
    expect(readProfile(elsewhere)).toEqual(exampleProfile);
  });
});
