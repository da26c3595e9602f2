/**
 * Grids of prompt lengths and output lengths: every prompt at every length of prompt, with every limit of new tokens. A cell of the
 * grid is counted as a part of its dataset, `code:64+32`: 64 tokens of prompt and up to 32 new ones.
 */
import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import type { Dataset, Prompt } from '../datasets/dataset.js';
import type { Engine } from '../engine/engine.js';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import { needTokenizer, type TokenizedPrompts } from './prompts.js';
import type { EvaluationPrompt } from './run.js';

/** What a grid is over, as an evaluation's settings tell it. */
export interface Grid {
  /** Tokens of every prompt; null where prompts are as long as they are. */
  readonly prompt_tokens: readonly number[] | null;
  /** Most new tokens. */
  readonly max_new_tokens: readonly number[];
}

/** The grid that was asked for; undefined for one length of output with prompts as they are. */
export function askedGrid(
  promptTokens: readonly number[] | undefined,
  maxNewTokens: readonly number[],
): Grid | undefined {
  if (promptTokens === undefined && maxNewTokens.length === 1) return undefined;
  const sorted = (list: readonly number[]) => [...new Set(list)].sort((a, b) => a - b);
  return {
    prompt_tokens: promptTokens === undefined ? null : sorted(promptTokens),
    max_new_tokens: sorted(maxNewTokens),
  };
}

/** @throws InputError where a cell does not fit the model's context. */
export function checkGrid({ prompt_tokens, max_new_tokens }: Grid, engine: Engine): void {
  const { contextLength } = engine.config;
  const longest = Math.max(...(prompt_tokens ?? []));
  const most = Math.max(...max_new_tokens);
  if (longest + most > contextLength)
    throw new InputError(
      `--prompt-tokens ${longest} and --max-new-tokens ${most} do not fit the model's context of ${contextLength} tokens together.`,
    );
}

/**
 * Prompts of exactly these lengths, as text to be continued: of a longer one the end, a shorter one after as many of the prompts
 * before it in its dataset as it takes (after those of the end before the first).
 * @param limit most prompts of each dataset, a group's members and a dataset's parts counting apart; undefined is all.
 * @throws InputError when the model has no tokenizer, or a length has no place for a token of the prompt.
 */
export function promptsOfLength(
  model: Pick<Model, 'tokenizer' | 'reference'>,
  datasets: readonly Dataset[],
  limit: number | undefined,
  lengths: readonly number[],
): TokenizedPrompts {
  const tokenizer = needTokenizer(model);
  const start = tokenizer.encodePrompt('');
  const shortest = Math.min(...lengths);
  if (shortest <= start.length)
    throw new InputError(
      `--prompt-tokens ${shortest}: give more than the ${start.length} that every prompt begins with.`,
    );
  const warnings: string[] = [];
  const records = datasets.map(({ name, split, version, hash, prompts }) => {
    const sized = [...groups(prompts)].flatMap(([dataset, members]) => {
      const { endingWith, repeats } = textBefore(tokenizer, members);
      const chosen = members.slice(0, limit).flatMap(({ id, stop, category }, i) =>
        lengths.map(
          (length): EvaluationPrompt => ({
            ...{ id, dataset },
            tokens: [...start, ...endingWith(i, length - start.length)],
            ...(category !== undefined && { category }),
            ...(stop.length > 0 && { stop }),
          }),
        ),
      );
      if (repeats())
        warnings.push(
          `Dataset "${dataset}" has too little text for prompts of ${Math.max(...lengths)} tokens: some repeat it, and repeated text is easy to draft.`,
        );
      return chosen;
    });
    const used = sized.length / lengths.length;
    return { record: { name, split, version, hash, prompts: used }, sized };
  });
  return {
    prompts: records.flatMap(({ sized }) => sized),
    datasets: records.map(({ record }) => record),
    warnings,
  };
}

/** A dataset as one text that goes round, in tokens. */
function textBefore(tokenizer: TextTokenizer, prompts: readonly Prompt[]) {
  const between = tokenizer.encode('\n\n');
  const encoded: number[][] = [];
  const tokensOf = (i: number) => {
    encoded[i] ??= tokenizer.encode(prompts[i].prompt);
    return encoded[i];
  };
  let repeated = false;
  return {
    /** Its `length` tokens up to the end of prompt `i`. */
    endingWith(i: number, length: number): number[] {
      const count = prompts.length;
      let tokens = tokensOf(i);
      for (let back = 1; tokens.length < length; back++) {
        repeated ||= back >= count;
        tokens = [...tokensOf((i + count - (back % count)) % count), ...between, ...tokens];
      }
      return tokens.slice(-length);
    },
    /** Whether it went round to where it had begun. */
    repeats: () => repeated,
  };
}

function groups(prompts: readonly Prompt[]): Map<string, Prompt[]> {
  const byDataset = new Map<string, Prompt[]>();
  for (const prompt of prompts) {
    const members = byDataset.get(prompt.dataset) ?? [];
    byDataset.set(prompt.dataset, members);
    members.push(prompt);
  }
  return byDataset;
}

/** Every prompt in its cells, one after another, so that a drift of the machine meets all cells alike. */
export function gridPrompts(
  prompts: readonly EvaluationPrompt[],
  { prompt_tokens, max_new_tokens }: Grid,
): EvaluationPrompt[] {
  return prompts.flatMap((prompt) =>
    max_new_tokens.map((maxNewTokens): EvaluationPrompt => {
      const name = `${prompt_tokens === null ? '' : prompt.tokens.length}+${maxNewTokens}`;
      const { dataset } = prompt;
      const cell = { name, dataset };
      return { ...prompt, dataset: `${dataset}:${name}`, maxNewTokens, cell };
    }),
  );
}
