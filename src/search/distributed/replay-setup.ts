/**
 * What a worker needs to score as the search does, kept in the study: the prompts whose continuations are replayed and those that
 * bridges are fitted to, how they are decoded, and on what place drafts are priced. The probe is the hash of one replay: a machine whose replay has other
 * bits would give other scores, and must not take part.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { runtimeVersions, toolVersion } from '../../measurement/environment.js';
import { replayStudy } from '../../study/state.js';
import type { OpenStudy, StudyRecord } from '../../study/storage.js';
import { CostModel } from '../cost/cost-model.js';
import type { Ladder } from '../ladder.js';
import { proposalsAt } from '../replay/records.js';
import type { SearchRequest } from '../search-request.js';

const KEY = 'replay_setup';

const Prompts = z.array(z.array(z.int().nonnegative()).min(1)).min(1);

const Setup = z.object({
  prompts: Prompts,
  fitted: Prompts,
  prompts_per_trial: z.int().min(1),
  max_new_tokens: z.int().min(2),
  sampling: z.object({
    temperature: z.number(),
    topK: z.number(),
    topP: z.number(),
    minP: z.number(),
    seed: z.number(),
  }),
  coupling: z.enum(['gumbel', 'maximal']),
  position: z.number(),
  memory: z.boolean(),
  probe: z.string().regex(/^[0-9a-f]{64}$/),
  cpu: z.string(),
  sspec: z.string(),
  onnxruntime: z.string(),
});
export type ReplaySetup = z.infer<typeof Setup>;

/** The versions that scores depend on. */
export function scoringVersions(): Pick<ReplaySetup, 'sspec' | 'onnxruntime'> {
  return { sspec: toolVersion(), onnxruntime: runtimeVersions().onnxruntime };
}

/** Tells workers how this search scores. */
export async function noteSetup(
  study: OpenStudy,
  ladder: Ladder,
  request: Pick<SearchRequest, 'calibration' | 'promptsPerTrial' | 'settings'>,
  cpu: string,
): Promise<void> {
  const { calibration, promptsPerTrial, settings } = request;
  const { maxNewTokens, sampling, coupling } = settings;
  const { basis } = ladder;
  const setup: ReplaySetup = {
    prompts: calibration.slice(0, basis.prompts).map(({ tokens }) => [...tokens]),
    fitted: basis.fitted.map((tokens) => [...tokens]),
    prompts_per_trial: promptsPerTrial,
    max_new_tokens: maxNewTokens,
    sampling: { ...sampling },
    coupling,
    position: basis.position,
    memory: basis.memory,
    probe: await probe(ladder, study.header.bits),
    cpu,
    ...scoringVersions(),
  };
  await study.append({ type: 'note', key: KEY, value: setup });
}

/**
 * What a search told workers; undefined before it has.
 * @throws InputError where it told it in a form that this release does not know.
 */
export function readSetup(record: StudyRecord) {
  const { notes } = replayStudy(record);
  const setup = Setup.safeParse(notes.get(KEY));
  const costs = z.object({ model: CostModel }).safeParse(notes.get('cost_model'));
  const reference = z.string().safeParse(notes.get('model'));
  if (!setup.success && notes.has(KEY))
    throw new InputError(
      `The search of study ${record.header.study} is of another release of sspec than this worker; use one on all machines.`,
    );
  if (!setup.success || !costs.success || !reference.success) return undefined;
  return { setup: setup.data, costs: costs.data.model, reference: reference.data };
}

/** The hash of what replay shows of one mask, a bridge over the middle third: matches and confidences, to the bit. */
export async function probe(ladder: Ladder, bits: number): Promise<string> {
  const mask = new Uint8Array(bits).fill(1, Math.floor(bits / 3), Math.ceil((2 * bits) / 3));
  const hash = createHash('sha256');
  const replayed = await ladder.replayScored(mask);
  const records = replayed.flatMap(({ records }) => records);
  for (const { match, confidence } of records.flatMap((all) => [proposalsAt(all, 0), all])) {
    hash.update(match);
    hash.update(new Uint8Array(confidence.buffer, confidence.byteOffset, confidence.byteLength));
  }
  return hash.digest('hex');
}
