import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Search from '../../commands/search.js';
import { checkExactness } from '../../src/cli/exactness.js';
import { loadDataset } from '../../src/datasets/load.js';
import type { ExitCosts } from '../../src/decoding/cost-exit.js';
import type { Method } from '../../src/decoding/method.js';
import { type FittingProfile, readFittingProfile } from '../../src/decoding/profile-method.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import { planGraph } from '../../src/engine/draft-graph.js';
import { loadModel, type Model } from '../../src/engine/load-model.js';
import { InputError } from '../../src/errors.js';
import { findDivergences } from '../../src/evaluation/divergence.js';
import { evaluationDocument } from '../../src/evaluation/document.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { tokenizePrompts } from '../../src/evaluation/prompts.js';
import type { EvaluationPrompt } from '../../src/evaluation/run.js';
import { summarise } from '../../src/evaluation/summary.js';
import { watchOthers } from '../../src/measurement/busy.js';
import { describeEnvironment } from '../../src/measurement/environment.js';
import { packageRoot } from '../../src/package-root.js';
import type { DraftPlan } from '../../src/profile/draft-plan.js';
import type { Profile } from '../../src/profile/schema.js';
import type { Definition, ProfileSearch } from './definition.js';
import { promptOfLength } from './prompt-length.js';
import { type ExperimentResult, resultRow } from './result.js';
import { calibrateExit, variantMethod } from './variant.js';

/** Generations of every method before the first that counts; `sspec eval` has as many. */
const warmup = 2;

/**
 * Runs an experiment: for each precision and prompt length all variants interleaved, by the code of `sspec eval`.
 * @param command the command line that runs it.
 * @throws InputError when a profile or dataset does not fit; the signal's reason when aborted.
 */
export async function runExperiment(
  definition: Definition,
  command: string,
  signal?: AbortSignal,
): Promise<ExperimentResult> {
  const { name, title, question, file, sha256, precisions, prompt_tokens = [null] } = definition;
  const folder = mkdtempSync(join(tmpdir(), 'sspec-experiment-'));
  const parts: Awaited<ReturnType<typeof runPart>>[] = [];
  const profiles: Record<string, FittingProfile> = {};
  try {
    const files: Record<string, string> = {};
    // Before the model is loaded: idle threads of a second session would disturb the search.
    for (const [key, source] of Object.entries(definition.profiles))
      files[key] = typeof source === 'string' ? source : await search(definition, source, folder);
    for (const precision of precisions) {
      const model = await loadModel(definition.model, { precision });
      try {
        const { warnings } = await checkExactness(model.engine, false);
        for (const warning of warnings) process.stderr.write(`${warning}\n`);
        for (const [key, path] of Object.entries(files))
          profiles[key] = readFittingProfile(path, model.engine);
        const methods = await variantMethods(model, definition, profiles, signal);
        for (const tokens of prompt_tokens) {
          process.stderr.write(`${name}, ${precision}, ${tokens ?? 'all'} tokens of prompt\n`);
          parts.push(await runPart(model, definition, tokens, methods, signal));
        }
      } finally {
        await model.close();
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return {
    ...{ experiment: name, title, question, command, definition: { file, sha256 } },
    profiles: Object.fromEntries(
      Object.entries(profiles).map(([key, { profile }]) => [key, told(definition, key, profile)]),
    ),
    runs: parts.map(({ run }) => run),
    rows: parts.flatMap(({ rows }) => rows),
  };
}

/** The file of the profile that `sspec search` finds. */
async function search(
  { model, precisions: [precision = 'int8'] }: Definition,
  { search: dataset, trials, finalists, prompts_per_trial, max_new_tokens, seed }: ProfileSearch,
  folder: string,
): Promise<string> {
  const name = dataset.replaceAll(/[^a-z]/g, '-');
  const output = join(folder, `${name}.json`);
  const flags = {
    ...{ model, precision, dataset, trials, finalists, seed, output, study: name },
    ...{ 'prompts-per-trial': prompts_per_trial, 'max-new-tokens': max_new_tokens },
    storage: join(folder, 'studies'),
  };
  const argv = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  await Search.run(argv, packageRoot());
  return output;
}

async function variantMethods(
  model: Model,
  { variants }: Definition,
  profiles: Readonly<Record<string, FittingProfile>>,
  signal: AbortSignal | undefined,
): Promise<Map<string, Method>> {
  const known = new Map<string, Promise<ExitCosts>>();
  const calibrate = (plan: DraftPlan) => {
    const key = planGraph(plan, model.engine.model).key;
    const costs = known.get(key) ?? calibrateExit(model, plan, signal);
    known.set(key, costs);
    return costs;
  };
  const [first] = Object.values(profiles);
  const methods = new Map<string, Method>();
  for (const variant of variants) {
    const profile = profiles[variant.profile ?? ''] ?? first ?? null;
    const { precision } = model.engine.model;
    methods.set(variant.name, await variantMethod(variant, profile, precision, calibrate));
  }
  return methods;
}

/** @param promptTokens null: prompts as they are. */
async function runPart(
  model: Model,
  definition: Definition,
  promptTokens: number | null,
  methods: ReadonlyMap<string, Method>,
  signal: AbortSignal | undefined,
) {
  const { threads } = model.engine;
  const { precision, weightsHash: modelHash } = model.engine.model;
  const refs = definition.datasets.map((ref) => loadDataset(ref));
  const { prompts: own, datasets } = tokenizePrompts(model, refs, definition.limit);
  const all = tokenizePrompts(model, refs, undefined).prompts;
  const { contextLength } = model.engine.config;
  if (promptTokens && promptTokens + definition.max_new_tokens > contextLength)
    throw new InputError(
      `${definition.file}: field "prompt_tokens" has ${promptTokens}, which with max_new_tokens does not fit the model's context of ${contextLength} tokens.`,
    );
  const prompts = promptTokens ? own.map((prompt) => ofLength(prompt, all, promptTokens)) : own;
  const environment = describeEnvironment({ threads, precision, modelHash });
  const othersSince = watchOthers();
  const result = await evaluate(model, {
    prompts,
    methods: [...methods].map(([name, method]) => ({ name, method })),
    ...{ maxNewTokens: definition.max_new_tokens, repetitions: definition.repetitions, warmup },
    ...{ sampling: GREEDY, coupling: 'gumbel' },
    ...(signal && { signal }),
  });
  const measuredIn = { ...environment, others_cpu_share: othersSince() };
  const rows = summarise(result, await findDivergences(model.engine, result));
  const { settings } = evaluationDocument(model, result, datasets, rows, measuredIn);
  return {
    run: { precision, prompt_tokens: promptTokens, settings, datasets, environment: measuredIn },
    rows: rows.map((row) => resultRow(row, precision, promptTokens, methods.get(row.method))),
  };
}

/** The prompt cut to its end, or with others of its kind before it. */
function ofLength(prompt: EvaluationPrompt, all: readonly EvaluationPrompt[], length: number) {
  const kind = all.filter(({ dataset }) => dataset === prompt.dataset);
  const index = kind.findIndex(({ id }) => id === prompt.id);
  const tokens = promptOfLength(
    kind.map((other) => other.tokens),
    index,
    length,
  );
  return { ...prompt, tokens };
}

/** What a result tells of a profile. */
function told({ profiles }: Definition, name: string, profile: Profile) {
  const source = profiles[name]!;
  const { skip_attention, skip_mlp, precision, draft, model, provenance } = profile;
  return {
    ...(typeof source === 'string'
      ? { source }
      : { source: `search on ${provenance.dataset?.name}`, search: source }),
    ...{ weights_hash: model.weights_hash, precision, skip_attention, skip_mlp, draft },
  };
}
