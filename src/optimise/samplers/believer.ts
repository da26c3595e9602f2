import type { Candidate } from '../candidate.js';
import { GaussianProcess, type Observation } from '../gp/model.js';

/**
 * The model of all trials told and of those that run, each of which is believed to come to what the model expects of it (the
 * Kriging believer, Ginsbourger, Le Riche and Carraro 2010): no mean changes, but nothing is left to be learnt there, so what is
 * asked for next lies elsewhere. O(N^3), as the factors are made anew.
 * @param current the model of `told` alone.
 * @returns it, and the candidates that it holds, in its order.
 */
export function believing(
  current: GaussianProcess,
  told: readonly Observation[],
  running: Iterable<Candidate>,
): { readonly gp: GaussianProcess; readonly held: readonly Candidate[] } {
  const held = told.map(({ candidate }) => candidate);
  const believed = [...running];
  if (believed.length === 0) return { gp: current, held };
  const gp = new GaussianProcess(current.points.bits, current.hyperparameters, current.scale);
  gp.append(told);
  for (const candidate of believed) {
    const { mean } = gp.posterior(candidate);
    gp.append([{ candidate, score: mean, noiseVariance: 0 }]);
  }
  return { gp, held: [...held, ...believed] };
}
