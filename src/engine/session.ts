import { InferenceSession } from 'onnxruntime-node';
import { mayHaveSaturatingProducts } from './cores.js';

// Else the runtime keeps an identifier of the machine, and tells its makers of every model. Read before the first session.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const unsignedWeights = mayHaveSaturatingProducts() ? '1' : '0';

/**
 * Makes a session, all in one way.
 *
 * A runtime's idle threads spin for a while after every pass, and those of one session slow the passes of another: a draft's and
 * the target's in every round. `force_spinning_stop` ends the spinning with the pass, and keeps it within the pass, where it
 * pays (forbidding it altogether with `allow_spinning` costs more than it saves).
 *
 * `x64quantprecision` has products of 8 bits that might saturate done with weights without a sign, which is slower by a third.
 *
 * No memory patterns: the runtime would work one out and keep it for every shape of the inputs, and every position has its own.
 * @param graph its file, or its bytes; @param threads of the session's pool; @param device execution provider.
 */
export function createSession(
  graph: string | Uint8Array,
  threads: number,
  device: string,
): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: [device],
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
    enableMemPattern: false,
    extra: { session: { force_spinning_stop: '1', x64quantprecision: unsignedWeights } },
  };
  return typeof graph === 'string'
    ? InferenceSession.create(graph, options)
    : InferenceSession.create(graph, options);
}
