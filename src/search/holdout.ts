import type { Dataset } from '../datasets/dataset.js';
import { CHAT, loadDataset } from '../datasets/load.js';
import type { Model } from '../engine/load-model.js';
import { InputError } from '../errors.js';
import type { ChatChoice } from '../evaluation/prompt-form.js';
import {
  type DatasetRecord,
  type TokenizedPrompts,
  tokenizePrompts,
} from '../evaluation/prompts.js';
import type { EvaluationPrompt } from '../evaluation/run.js';
import { Random } from '../random.js';
import { shareName } from '../study/share-name.js';
import { MOST_PROMPTS } from './defaults.js';

/** Share of a user's prompts that is set aside where nothing else is said. */
const defaultFraction = 0.3;

/** Prompts of one side and which they are. */
export interface SearchPrompts {
  readonly prompts: readonly EvaluationPrompt[];
  readonly dataset: DatasetRecord;
}

/** The two sides of a search. */
export interface SearchSplit {
  readonly calibration: SearchPrompts;
  readonly holdout: SearchPrompts;
  /** More calibration prompts, which nothing is scored on: drafts are fitted to their texts. */
  readonly fitting: readonly EvaluationPrompt[];
  readonly warnings: readonly string[];
}

/**
 * The prompts to search on and those to confirm on. A bundled dataset has its own held-out prompts; of any other a seeded
 * share is set aside, so that the two never meet.
 * @param asked what to search on; undefined is the bundled instructions for a model that chats, else the bundled texts.
 * @param holdout a dataset reference, a fraction between 0 and 1, or undefined for the default.
 * @throws InputError when a reference does not fit, or a prompt is on both sides.
 */
export function chooseHoldout(
  model: Model,
  asked: string | undefined,
  holdout: string | undefined,
  seed: number,
  chat: ChatChoice = {},
): SearchSplit {
  const chats = chat.chat ?? model.tokenizer?.hasChatTemplate ?? false;
  const dataset = asked ?? (chats ? CHAT : 'calibration');
  const tokenize = (prompts: Dataset) => tokenizePrompts(model, [prompts], undefined, chat);
  const whole = loadDataset(dataset, { split: 'calibration' });
  if (whole.split === 'heldout') {
    throw new InputError(
      `Dataset "${dataset}" is for measuring what a search found; search on calibration prompts.`,
    );
  }
  const fraction = holdout === undefined ? undefined : parseFraction(holdout);
  if (holdout === undefined && whole.split === 'calibration') {
    return pair(
      tokenize,
      whole,
      loadDataset(dataset.replace(/:?calibration$/, '') || 'heldout', { split: 'heldout' }),
    );
  }
  if (holdout !== undefined && fraction === undefined) {
    return pair(tokenize, whole, loadDataset(holdout, { split: 'heldout' }));
  }
  return divide(tokenize(whole), fraction ?? defaultFraction, seed);
}

/** undefined for what is not a number; then it names a dataset. */
function parseFraction(text: string): number | undefined {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) return undefined;
  if (value > 0 && value < 1) return value;
  throw new InputError(`--holdout is ${text}: a share of the prompts lies between 0 and 1.`);
}

type Tokenize = (prompts: Dataset) => TokenizedPrompts;

function pair(tokenize: Tokenize, calibration: Dataset, holdout: Dataset): SearchSplit {
  const a = tokenize(calibration);
  const b = tokenize(holdout);
  const known = new Set(a.prompts.map((prompt) => prompt.tokens.join()));
  const both = b.prompts.find((prompt) => known.has(prompt.tokens.join()));
  if (both) {
    throw new InputError(
      `Prompt ${both.id} of ${both.dataset} is among the calibration prompts too; held-out prompts must be others.`,
    );
  }
  return {
    calibration: firstOf(a, MOST_PROMPTS.calibration),
    holdout: firstOf(b, MOST_PROMPTS.holdout),
    fitting: behind(a.prompts),
    warnings: [...a.warnings, ...b.warnings],
  };
}

/** What comes after the calibration prompts that are scored on. */
function behind(prompts: readonly EvaluationPrompt[]): readonly EvaluationPrompt[] {
  const { calibration, fitting } = MOST_PROMPTS;
  return prompts.slice(calibration, calibration + fitting);
}

function firstOf({ prompts, datasets }: TokenizedPrompts, most: number): SearchPrompts {
  const first = prompts.slice(0, most);
  return { prompts: first, dataset: { ...datasets[0]!, prompts: first.length } };
}

/** Sets a seeded share aside, by text, so that prompts that come twice stay on one side. */
function divide(
  { prompts, datasets, warnings }: TokenizedPrompts,
  fraction: number,
  seed: number,
): SearchSplit {
  const record = datasets[0]!;
  const texts = [...new Set(prompts.map((prompt) => prompt.tokens.join()))];
  const count = Math.max(1, Math.round(fraction * texts.length));
  if (texts.length - count < 1) {
    throw new InputError(
      `Dataset "${record.name}" has ${texts.length} different prompts, too few to set some aside; give more, or --holdout with another dataset.`,
    );
  }
  new Random(seed).shuffle(texts);
  const aside = new Set(texts.slice(0, count));
  const sideOf = (isHoldout: boolean) =>
    prompts.filter((prompt) => aside.has(prompt.tokens.join()) === isHoldout);
  const side = (isHoldout: boolean): SearchPrompts => {
    const most = isHoldout ? MOST_PROMPTS.holdout : MOST_PROMPTS.calibration;
    const own = sideOf(isHoldout).slice(0, most);
    const part = isHoldout
      ? `share ${fraction}, seed ${seed}`
      : `the rest of share ${fraction}, seed ${seed}`;
    return {
      prompts: own,
      dataset: { ...record, name: shareName(record.name, part), prompts: own.length },
    };
  };
  return {
    calibration: side(false),
    holdout: side(true),
    fitting: behind(sideOf(false)),
    warnings,
  };
}
