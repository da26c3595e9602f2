import type { ComparedEvaluation } from './compared-file.js';
import { methodKey } from './compared-methods.js';
import type { RecordedEvaluation } from './results-file.js';
import type { RecordedTiming } from './samples-file.js';

/** What a method took for a prompt: the means of its repetitions. */
export interface PromptTimes {
  /** Of decoding, the prefill left out. */
  readonly seconds: number;
  /** Those that the decoding was for: the first comes with the prefill. */
  readonly tokens: number;
  readonly newTokens: number;
}

/** A prompt of both evaluations, with what each method took for it there, by `methodKey`. */
export interface CommonPrompt {
  readonly dataset: string;
  /** What the other turns of its conversation have, too, and the other cells of a grid. */
  readonly cluster: string;
  /** Its dataset without the cell of a grid. */
  readonly stratum: string;
  readonly first: ReadonlyMap<string, PromptTimes>;
  readonly second: ReadonlyMap<string, PromptTimes>;
}

export interface CommonPrompts {
  readonly prompts: readonly CommonPrompt[];
  /** How many each evaluation has. */
  readonly first: number;
  readonly second: number;
  /** Of those in common how many the models were given as another text. */
  readonly otherText: number;
}

/**
 * Prompts that two evaluations have in common: of the same dataset and id, and with the same text unless the data are the same file,
 * whose prompts are the same however they are put to a model.
 */
export function commonPrompts(
  first: Pick<ComparedEvaluation, 'evaluation'> & { readonly timings: readonly RecordedTiming[] },
  second: Pick<ComparedEvaluation, 'evaluation'> & { readonly timings: readonly RecordedTiming[] },
): CommonPrompts {
  const isSameData = haveSameData(first.evaluation, second.evaluation);
  const ours = promptsOf(first.timings);
  const theirs = promptsOf(second.timings);
  const isGrid = first.evaluation.settings.grid !== undefined;
  const prompts: CommonPrompt[] = [];
  let otherText = 0;
  for (const [key, { timing, times }] of ours) {
    const other = theirs.get(key);
    if (!other) continue;
    const text = timing.prompt_text;
    const theirText = other.timing.prompt_text;
    const isOther = text !== null && theirText !== null && text !== theirText;
    if (isOther && !isSameData) continue;
    if (isOther) otherText++;
    const { dataset } = timing;
    const stratum = isGrid ? dataset.replace(/:\d*\+\d+$/, '') : dataset;
    const cluster = JSON.stringify([stratum, conversationOf(timing)]);
    prompts.push({ dataset, cluster, stratum, first: times, second: other.times });
  }
  return { prompts, first: ours.size, second: theirs.size, otherText };
}

/** Whether one evaluation has no data that the other has not. */
export function haveSameData(
  { datasets: first }: Pick<RecordedEvaluation, 'datasets'>,
  { datasets: second }: Pick<RecordedEvaluation, 'datasets'>,
): boolean {
  type Data = typeof first;
  const isWithin = (some: Data, all: Data) =>
    some.every(({ hash }) => all.some((other) => other.hash === hash));
  return isWithin(first, second) || isWithin(second, first);
}

interface RecordedPrompt {
  /** The first of it, for what all have in common. */
  readonly timing: RecordedTiming;
  readonly times: ReadonlyMap<string, PromptTimes>;
}

function promptsOf(timings: readonly RecordedTiming[]): Map<string, RecordedPrompt> {
  const groups = grouped(timings, ({ dataset, prompt }) => JSON.stringify([dataset, prompt]));
  return new Map(
    [...groups].map(([key, own]) => {
      const times = [...grouped(own, methodKey)].map(
        ([method, repetitions]) => [method, meanTimes(repetitions)] as const,
      );
      return [key, { timing: own[0]!, times: new Map(times) }];
    }),
  );
}

function grouped<T>(list: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

function meanTimes(repetitions: readonly RecordedTiming[]): PromptTimes {
  const mean = (list: readonly number[]) =>
    list.reduce((sum, value) => sum + value, 0) / Math.max(1, list.length);
  // A generation that ended with its first token has no decode time.
  const decoded = repetitions.filter((one) => one.new_tokens > 1 && one.decode_seconds > 0);
  return {
    seconds: mean(decoded.map(({ decode_seconds }) => decode_seconds)),
    tokens: mean(decoded.map(({ new_tokens }) => new_tokens - 1)),
    newTokens: mean(repetitions.map(({ new_tokens }) => new_tokens)),
  };
}

/** The id of the conversation that a prompt is a turn of: that of its first turn. */
function conversationOf({ prompt, turn }: RecordedTiming): string {
  return turn === 1 ? prompt : prompt.replace(new RegExp(`/turn-${turn}$`), '');
}
