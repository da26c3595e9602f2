import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkExactness } from '../../src/cli/exactness.js';
import type { Method } from '../../src/decoding/method.js';
import { readFittingProfile } from '../../src/decoding/profile-method.js';
import { cpuModel, physicalCores } from '../../src/engine/cores.js';
import { loadModel, type Model } from '../../src/engine/load-model.js';
import { writeFileAtomic } from '../../src/files.js';
import { readTextFile } from '../../src/json-file.js';
import { toolVersion } from '../../src/measurement/environment.js';
import type { Profile } from '../../src/profile/schema.js';
import { createProgress, type Progress } from '../../src/reporting/progress.js';
import type { Definition } from './definition.js';
import { calibrateOnDemand } from './exit-costs.js';
import { runPart } from './part.js';
import { searchedProfile } from './profiles.js';
import { type ExperimentResult, type Part, readPart } from './result.js';
import { variantMethod } from './variant.js';
import { writeResult } from './write-result.js';

/** As much as a profile may have. */
const MAX_PROFILE_BYTES = 16 * 2 ** 20;

export interface ExperimentOptions {
  /** Folder for the results. */
  readonly output: string;
  /** Folder for finished parts and searches until all are done; one that was interrupted goes on from there. */
  readonly state: string;
  /** The command line that runs it. */
  readonly command: string;
  readonly quiet: boolean;
  readonly signal?: AbortSignal;
}

/** Profiles by their name in the definition. */
type Profiles = ReadonlyMap<string, Profile>;

/**
 * Runs an experiment, one part for each precision and prompt length, each all variants interleaved, and writes what it came to.
 * @throws InputError when a profile or dataset does not fit; the signal's reason when aborted (finished parts are kept).
 */
export async function runExperiment(
  definition: Definition,
  options: ExperimentOptions,
): Promise<ExperimentResult> {
  const state = join(options.state, `${definition.name}-${fingerprint(definition)}`);
  const parts: Part[] = [];
  let profiles: Profiles = new Map();
  for (const precision of definition.precisions) {
    const model = await loadModel(definition.model, { precision });
    try {
      // Whatever was measured on other weights is of no use.
      const folder = join(state, model.engine.model.weightsHash.slice(0, 12));
      const made = await runPrecision(model, definition, { ...options, state: folder });
      parts.push(...made.parts);
      profiles = made.profiles;
    } finally {
      await model.close();
    }
  }
  const { name, title, question, file, sha256 } = definition;
  const result: ExperimentResult = {
    experiment: name,
    ...{ title, question, command: options.command, definition: { file, sha256 } },
    profiles: Object.fromEntries(
      [...profiles].map(([key, profile]) => [key, describe(definition, key, profile)]),
    ),
    runs: parts.map(({ rows: _, ...run }) => run),
    rows: parts.flatMap(({ rows }) => rows),
  };
  await writeResult(options.output, definition, result);
  rmSync(state, { recursive: true, force: true });
  return result;
}

async function runPrecision(
  model: Model,
  definition: Definition,
  options: ExperimentOptions,
): Promise<{ parts: Part[]; profiles: Profiles }> {
  const { signal, state, quiet } = options;
  const { precision } = model.engine.model;
  const profiles = await loadProfiles(model, definition, options);
  const wanted = (definition.prompt_tokens ?? [null]).map((tokens) => {
    const file = join(state, `part-${precision}-${tokens ?? 'all'}.json`);
    return { tokens, file, known: readPart(file) };
  });
  const parts: Part[] = [];
  let methods: ReadonlyMap<string, Method> | undefined;
  for (const { tokens, file, known } of wanted) {
    if (known) {
      parts.push(known);
      continue;
    }
    methods ??= await variantMethods(model, definition, profiles, options);
    const label = [definition.name, precision, ...(tokens ? [`${tokens} tokens`] : [])].join(', ');
    const part = await withProgress(label, 'generations', quiet, (onProgress) =>
      runPart(model, definition, tokens, methods!, { signal, onProgress }),
    );
    writeFileAtomic(file, `${JSON.stringify(part)}\n`);
    parts.push(part);
  }
  return { parts, profiles };
}

async function loadProfiles(
  model: Model,
  { profiles, precisions }: Definition,
  { state, command, quiet, signal }: ExperimentOptions,
): Promise<Profiles> {
  const sentences = [...(await checkExactness(model.engine, quiet)).warnings];
  const loaded = new Map<string, Profile>();
  for (const [name, source] of Object.entries(profiles)) {
    if (typeof source === 'string') {
      const fitting = readFittingProfile(source, model.engine);
      loaded.set(name, fitting.profile);
      // Other precisions are the point of an experiment that has several.
      if (precisions.length === 1) sentences.push(...fitting.warnings);
      continue;
    }
    const profile = await withProgress(`search: ${name}`, 'trials', quiet, (onProgress) =>
      searchedProfile(model, source, {
        ...{ name: `search-${name}`, state, command, signal },
        onProgress: ({ stage, done, total }) => {
          if (stage === 'trials') onProgress(done, total);
        },
      }),
    );
    loaded.set(name, profile);
  }
  if (!quiet) for (const sentence of sentences) process.stderr.write(`${sentence}\n`);
  return loaded;
}

async function variantMethods(
  model: Model,
  { variants }: Definition,
  profiles: Profiles,
  { signal }: ExperimentOptions,
): Promise<Map<string, Method>> {
  const costs = calibrateOnDemand(model, signal);
  const [first] = profiles.keys();
  const { config, model: compiled } = model.engine;
  const target = { layers: config.layers, precision: compiled.precision };
  try {
    const methods = new Map<string, Method>();
    for (const variant of variants) {
      const profile = profiles.get(variant.profile ?? first ?? '') ?? null;
      const method = await variantMethod(variant, profile, target, costs.costsOf);
      methods.set(variant.name, method);
    }
    return methods;
  } finally {
    await costs.close();
  }
}

/** Shows how far some work is; the total is known when it first tells. */
async function withProgress<T>(
  label: string,
  unit: string,
  quiet: boolean,
  work: (onProgress: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  let shown: Progress | undefined;
  try {
    return await work((done, total) => {
      shown ??= createProgress({ label, unit, total, done, quiet });
      shown.update(done);
    });
  } finally {
    shown?.stop();
  }
}

/** What must be the same for the parts of two runs to make one result; the weights have a folder of their own. */
function fingerprint({ sha256, profiles }: Definition): string {
  const files = Object.values(profiles).filter((source) => typeof source === 'string');
  const hash = createHash('sha256');
  hash.update(JSON.stringify([sha256, toolVersion(), cpuModel(), physicalCores()]));
  for (const file of files) hash.update(readTextFile(file, MAX_PROFILE_BYTES) ?? '');
  return hash.digest('hex').slice(0, 12);
}

function describe({ profiles }: Definition, name: string, profile: Profile) {
  const source = profiles[name];
  const { skip_attention, skip_mlp, precision, draft, model, provenance } = profile;
  return {
    source: typeof source === 'string' ? source : `search on ${provenance.dataset?.name}`,
    ...(typeof source === 'string' ? {} : { search: source }),
    ...{ weights_hash: model.weights_hash, precision, skip_attention, skip_mlp, draft },
  };
}
