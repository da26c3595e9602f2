import { rmSync } from 'node:fs';
import type { InferenceSession } from 'onnxruntime-node';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import type { CompiledModel } from '../graph/compile.js';
import type { DraftGraph } from './draft-graph.js';
import { HeadRows } from './head-rows.js';
import { createSession } from './session.js';
import { writeDraft, writeGated, writeWatching } from './write-graph.js';

/**
 * Which graph a session runs: `plain` the full model; `gated` the full model or any draft that skips and bridges, at a few
 * microseconds per sublayer; `gated drafts` the same with the weights that drafts have (graph/four-bits.ts); a draft's, that draft
 * alone, without gates.
 */
export type GraphForm = 'plain' | 'gated' | 'gated drafts' | DraftGraph;

export function isDraft(form: GraphForm): form is DraftGraph {
  return typeof form === 'object';
}

/** The sessions of a model in one form. */
export interface LoadedSession {
  readonly session: InferenceSession;
  /** Of a draft that takes further words: where their rows are looked up. */
  readonly headRows: HeadRows | null;
}

/**
 * Loads a model in a form.
 * @param threads of the runtime's pool; @param device execution provider.
 * @throws InputError when the runtime refuses the model, or has not got the device.
 */
export async function loadSession(
  model: CompiledModel,
  form: GraphForm,
  threads: number,
  device: string,
): Promise<LoadedSession> {
  const path =
    form === 'plain'
      ? model.plainPath
      : isDraft(form)
        ? writeDraft(model, form)
        : writeGated(model, form === 'gated drafts');
  try {
    const takesWords = isDraft(form) && form.takesWords;
    const headRows = takesWords ? await HeadRows.load(model, device) : null;
    const session = await createSession(path, threads, device).catch(async (error: unknown) => {
      await headRows?.close();
      throw error;
    });
    return { session, headRows };
  } catch (error) {
    if (error instanceof InputError) throw error;
    const fault = errorMessage(error).trim();
    throw new InputError(
      device === 'cpu'
        ? `The runtime cannot load ${path}: ${fault}`
        : `Device ${device} cannot be used here: ${fault.replace(/\.$/, '')}; use --device cpu.`,
    );
  } finally {
    if (form !== 'plain') rmSync(path, { force: true });
  }
}

/** The full model, which also returns the hidden states before some sublayers. */
export async function loadWatching(
  model: CompiledModel,
  sublayers: Iterable<number>,
  threads: number,
  device: string,
): Promise<InferenceSession> {
  const path = writeWatching(model, sublayers);
  try {
    return await createSession(path, threads, device);
  } finally {
    rmSync(path, { force: true });
  }
}
