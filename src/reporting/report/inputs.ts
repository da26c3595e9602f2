import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../errors.js';
import { UNFINISHED } from '../../evaluation/output.js';
import { type RecordedEvaluation, readResults } from '../../evaluation/results-file.js';
import { type RecordedSample, readFirstSamples } from '../../evaluation/samples-file.js';
import { errorMessage } from '../../files.js';
import { readJsonFile } from '../../json-file.js';
import { readProfile } from '../../profile/profile.js';
import { PROFILE_SCHEMA, type Profile } from '../../profile/schema.js';
import { journalStorage } from '../../study/journal.js';
import type { StudyRecord, StudyStorage } from '../../study/storage.js';

/** An evaluation to tell of. */
export interface EvaluationInput {
  readonly kind: 'evaluation';
  /** As it was given, or found in a folder; so are those below. */
  readonly path: string;
  readonly evaluation: RecordedEvaluation;
  /** Of the first repetition; none where there is no samples.jsonl. */
  readonly samples: readonly RecordedSample[];
}

/** A search to tell of. */
export interface StudyInput {
  readonly kind: 'study';
  readonly path: string;
  readonly record: StudyRecord;
}

/** A skip profile to tell of. */
export interface ProfileInput {
  readonly kind: 'profile';
  readonly path: string;
  readonly profile: Profile;
}

export type ReportInput = EvaluationInput | StudyInput | ProfileInput;

const RESULTS = 'results.json';
const SAMPLES = 'samples.jsonl';
const JOURNAL = '.jsonl';
/** Largest file that is looked into to tell what it is. */
const MAX_JSON_BYTES = 2 ** 26;

/**
 * Reads what a report is to tell of.
 * @param path the folder of an evaluation (or its results.json), a folder of these, of studies and of profiles, a study's journal,
 *   a profile; or the name of a study in `storage`, where there is no such file.
 * @throws InputError when there is nothing of that name, or a file in it does not fit.
 */
export async function readReportInputs(
  path: string,
  storage: StudyStorage,
): Promise<ReportInput[]> {
  const kind = kindOf(path);
  if (kind === 'none') return [await namedStudy(path, storage)];
  if (kind === 'folder') return readFolder(path);
  if (path.endsWith(JOURNAL)) return [await readJournal(path)];
  const value = readJsonFile(path, MAX_JSON_BYTES);
  if (hasField(value, 'schema', PROFILE_SCHEMA))
    return [{ kind: 'profile', path, profile: readProfile(path) }];
  if (hasField(value, 'rows') || basename(path) === RESULTS)
    return [basename(path) === RESULTS ? readEvaluationInput(dirname(path)) : withoutSamples(path)];
  throw new InputError(
    `${path} is neither an evaluation's ${RESULTS} nor a skip profile nor a study's journal.`,
  );
}

/**
 * Reads what `sspec eval --output-dir` wrote.
 * @throws InputError when a file does not fit.
 */
export function readEvaluationInput(folder: string): EvaluationInput {
  const evaluation = readResults(join(folder, RESULTS));
  const samples = readFirstSamples(join(folder, SAMPLES));
  return { kind: 'evaluation', path: folder, evaluation, samples };
}

/** A results.json under another name: a samples.jsonl beside it may be that of another evaluation. */
function withoutSamples(path: string): EvaluationInput {
  return { kind: 'evaluation', path, evaluation: readResults(path), samples: [] };
}

async function readFolder(path: string): Promise<ReportInput[]> {
  if (kindOf(join(path, RESULTS)) === 'file') return [readEvaluationInput(path)];
  const inputs: ReportInput[] = [];
  for (const name of readdirSync(path).sort()) {
    const inside = join(path, name);
    const kind = kindOf(inside);
    if (kind === 'folder' && kindOf(join(inside, RESULTS)) === 'file')
      inputs.push(readEvaluationInput(inside));
    else if (kind === 'file' && name.endsWith('.json')) inputs.push(...readFound(inside));
  }
  const studies = await journalStorage(path).list();
  for (const name of studies) inputs.push(await readJournal(join(path, name + JOURNAL)));
  if (inputs.length > 0) return inputs;
  throw new InputError(
    `The folder ${path} has no evaluation (${RESULTS}, or a folder with it), no skip profile and no study's journal in it.`,
  );
}

/** What a JSON file of a folder is: among results lies much that a report has nothing to tell of. */
function readFound(path: string): ReportInput[] {
  const value = readJsonFile(path, MAX_JSON_BYTES);
  if (hasField(value, 'schema', PROFILE_SCHEMA))
    return [{ kind: 'profile', path, profile: readProfile(path) }];
  const isEvaluation = ['rows', 'settings', 'datasets', 'environment'].every((field) =>
    hasField(value, field),
  );
  return isEvaluation ? [withoutSamples(path)] : [];
}

async function readJournal(path: string): Promise<ReportInput> {
  if (basename(path) === SAMPLES || basename(path) === UNFINISHED)
    throw new InputError(`${path} is a part of an evaluation; name its folder instead.`);
  const record = await journalStorage(dirname(path)).read(basename(path, JOURNAL));
  return { kind: 'study', path, record };
}

async function namedStudy(name: string, storage: StudyStorage): Promise<ReportInput> {
  if (!(await storage.list()).includes(name))
    throw new InputError(
      `There is no file or folder ${name}, and no study of that name in --storage; name an evaluation's folder, a study or a profile.`,
    );
  return { kind: 'study', path: name, record: await storage.read(name) };
}

function kindOf(path: string): 'file' | 'folder' | 'none' {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return 'none';
    return found.isDirectory() ? 'folder' : 'file';
  } catch (error) {
    throw new InputError(`Cannot read ${path}: ${errorMessage(error)}.`);
  }
}

function hasField(value: unknown, field: string, wanted?: unknown): boolean {
  if (typeof value !== 'object' || value === null || !(field in value)) return false;
  return wanted === undefined || Reflect.get(value, field) === wanted;
}
