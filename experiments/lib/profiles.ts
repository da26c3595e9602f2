import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readFittingProfile } from '../../src/decoding/profile-method.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Model } from '../../src/engine/load-model.js';
import { writeProfile } from '../../src/profile/profile.js';
import type { Profile } from '../../src/profile/schema.js';
import { foundProfile } from '../../src/search/found-profile.js';
import { chooseHoldout } from '../../src/search/holdout.js';
import type { SearchProgress, SearchRequest } from '../../src/search/request.js';
import { runSearch } from '../../src/search/run.js';
import { journalStorage } from '../../src/search/storage/journal.js';
import type { ProfileSearch } from './definition.js';

/** Held-out prompts of a search's own last look; the experiment measures on them all. */
const holdoutPrompts = 4;

/** What a search of an experiment needs besides its settings. */
export interface SearchPlace {
  /** The study's name, and that of its profile beside it. */
  readonly name: string;
  /** Folder that keeps both until the experiment is done, so that it can go on. */
  readonly state: string;
  readonly command: string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: SearchProgress) => void;
}

/**
 * The profile that a search on one dataset's calibration prompts finds; of an earlier, interrupted run where there is one.
 * @throws InputError as the search does.
 */
export async function searchedProfile(
  model: Model,
  search: ProfileSearch,
  { name, state, command, signal, onProgress }: SearchPlace,
): Promise<Profile> {
  const file = join(state, `${name}.json`);
  if (existsSync(file)) return readFittingProfile(file, model.engine).profile;
  const { engine, reference } = model;
  const { weightsHash, precision } = engine.model;
  const { seed, trials, finalists } = search;
  const split = chooseHoldout(model, search.search, undefined, seed);
  const study = await journalStorage(state).open(
    name,
    {
      ...{ sampler: 'bo', seed, bits: 2 * engine.config.layers },
      context: { weights_hash: weightsHash, precision, threads: engine.threads },
    },
    { resume: true },
  );
  try {
    const request: SearchRequest = {
      ...{ sampler: 'bo', fidelity: 'ladder', seed, trials, finalists, study, onProgress },
      promptsPerTrial: search.prompts_per_trial,
      calibration: split.calibration.prompts,
      holdout: split.holdout.prompts.slice(0, holdoutPrompts),
      settings: {
        ...{ maxNewTokens: search.max_new_tokens, repetitions: 1, warmup: 1 },
        ...{ sampling: GREEDY, coupling: 'gumbel' },
      },
      ...(signal && { signal }),
    };
    const result = await runSearch(model, request);
    const profile = foundProfile(engine, request, result, {
      ...{ reference, studyName: name, command },
      dataset: split.calibration.dataset,
      holdout: split.holdout.dataset,
    });
    writeProfile(file, profile);
    return profile;
  } finally {
    await study.close();
  }
}
