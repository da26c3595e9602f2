/** Names that studies get where none is asked for. */
import { basename } from 'node:path';
import { GREEDY, type SamplingOptions } from '../decoding/sampling/options.js';
import { datasetOfShare } from './share-name.js';

/** What a default name is made of. */
export interface NamedSearch {
  /** As it was given to `--model`. */
  readonly model: string;
  readonly precision: string;
  readonly sampler: string;
  readonly fidelity: string;
  readonly seed: number;
  /** Name of the calibration prompts' dataset, or of a share of it. */
  readonly dataset: string;
  readonly sampling: SamplingOptions;
}

/** The dataset that goes without saying. */
const DEFAULT_DATASET = 'calibration';
/** Longest default name; five characters less than a study's may have, for its number. */
const MOST_CHARACTERS = 94;
/** Leaves eleven characters for the model beside the longest of all else. */
const MOST_OF_PART = 20;

/**
 * `demo-int8-bo-ladder-0`: model, dataset (where it is another than `calibration`), precision, sampler, fidelity, sampling
 * (where it is not greedy) and seed. Names that are cut or alike harm nobody: what tells studies apart is their header.
 */
export function defaultStudyName(search: NamedSearch): string {
  const { model, dataset, precision, sampler, fidelity, sampling, seed } = search;
  const source = datasetOfShare(dataset);
  const rest = [
    ...(source === DEFAULT_DATASET ? [] : [nameable(source.slice(0, MOST_OF_PART)) || 'dataset']),
    precision,
    sampler,
    fidelity,
    ...samplingParts(sampling),
    seed,
  ].join('-');
  return `${nameable(lastPart(model).slice(rest.length + 1 - MOST_CHARACTERS)) || 'model'}-${rest}`;
}

/** A default name's first study has the name itself, further ones `name-2`, `name-3`, ... */
export function numberedName(name: string, number: number): string {
  return number === 1 ? name : `${name}-${number}`;
}

/** The number of a study among those of a default name; undefined when it is none of them. */
export function numberOfName(study: string, name: string): number | undefined {
  if (study === name) return 1;
  const digits = study.startsWith(`${name}-`) ? study.slice(name.length + 1) : '';
  return /^[1-9]\d*$/.test(digits) && Number(digits) > 1 ? Number(digits) : undefined;
}

function samplingParts({ temperature, topK, topP, minP }: SamplingOptions): string[] {
  const parts = [
    ...(temperature === GREEDY.temperature ? [] : [`t${temperature}`]),
    ...(topK === GREEDY.topK ? [] : [`k${topK}`]),
    ...(topP === GREEDY.topP ? [] : [`p${topP}`]),
    ...(minP === GREEDY.minP ? [] : [`m${minP}`]),
  ];
  return parts.length === 0 ? [] : [nameable(parts.join('-').slice(0, MOST_OF_PART))];
}

/** Of a path the last part; the id of a model on the Hub as it is. */
function lastPart(model: string): string {
  return /^\.{0,2}[\\/]/.test(model) ? basename(model) : model;
}

/** Of a text what a study's name may have, a letter or digit first; may be empty. */
function nameable(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+|[-.]+$/g, '');
}
