import { loadDataset } from '../../src/datasets/load.js';
import type { Method } from '../../src/decoding/method.js';
import { GREEDY } from '../../src/decoding/sampling/options.js';
import type { Model } from '../../src/engine/load-model.js';
import { InputError } from '../../src/errors.js';
import { findDivergences } from '../../src/evaluation/divergence.js';
import { evaluationDocument } from '../../src/evaluation/document.js';
import { type TokenizedPrompts, tokenizePrompts } from '../../src/evaluation/prompts.js';
import { type EvaluationPrompt, evaluate } from '../../src/evaluation/run.js';
import { summarise } from '../../src/evaluation/summary.js';
import { watchOthers } from '../../src/measurement/busy.js';
import { describeEnvironment } from '../../src/measurement/environment.js';
import type { Definition } from './definition.js';
import { promptOfLength } from './prompt-length.js';
import { type Part, partOf } from './result.js';

/** Generations of every method before the first that counts; `sspec eval` has as many. */
const warmup = 2;

/** What a part is told while it runs. */
export interface PartOptions {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * All variants on all prompts, interleaved, by the code of `sspec eval`.
 * @param promptTokens null: prompts as they are.
 * @param methods of the variants, by name.
 * @throws InputError when prompts of that length leave no room for the new tokens.
 */
export async function runPart(
  model: Model,
  definition: Definition,
  promptTokens: number | null,
  methods: ReadonlyMap<string, Method>,
  { signal, onProgress }: PartOptions,
): Promise<Part> {
  const { threads } = model.engine;
  const { precision, weightsHash: modelHash } = model.engine.model;
  const { prompts, datasets } = choosePrompts(model, definition, promptTokens);
  const environment = describeEnvironment({ threads, precision, modelHash });
  const othersSince = watchOthers();
  const result = await evaluate(model, {
    prompts,
    methods: [...methods].map(([name, method]) => ({ name, method })),
    ...{ maxNewTokens: definition.max_new_tokens, repetitions: definition.repetitions, warmup },
    ...{ sampling: GREEDY, coupling: 'gumbel' },
    ...(signal && { signal }),
    onProgress,
  });
  const measuredIn = { ...environment, others_cpu_share: othersSince() };
  const rows = summarise(result, await findDivergences(model.engine, result));
  const document = evaluationDocument(model, result, datasets, rows, measuredIn);
  return partOf(document, promptTokens, methods);
}

function choosePrompts(
  model: Model,
  { file, datasets, limit, max_new_tokens }: Definition,
  length: number | null,
): Pick<TokenizedPrompts, 'prompts' | 'datasets'> {
  const loaded = datasets.map((ref) => loadDataset(ref));
  const chosen = tokenizePrompts(model, loaded, limit);
  if (length === null) return chosen;
  const { contextLength } = model.engine.config;
  if (length + max_new_tokens > contextLength)
    throw new InputError(
      `${file}: field "prompt_tokens" has ${length}, which with max_new_tokens does not fit the model's context of ${contextLength} tokens.`,
    );
  const all = tokenizePrompts(model, loaded, undefined);
  const prompts = chosen.prompts.map((prompt) => ofLength(prompt, all.prompts, length));
  return { prompts, datasets: chosen.datasets };
}

/** The prompt cut to its end, or with others of its kind before it. */
function ofLength(
  prompt: EvaluationPrompt,
  all: readonly EvaluationPrompt[],
  length: number,
): EvaluationPrompt {
  const kind = all.filter(({ dataset }) => dataset === prompt.dataset);
  const index = kind.findIndex(({ id }) => id === prompt.id);
  return {
    ...prompt,
    tokens: promptOfLength(
      kind.map(({ tokens }) => tokens),
      index,
      length,
    ),
  };
}
