import { Random } from '../../random.js';
import { type Candidate, candidateKey, type SearchSpace } from '../candidate.js';
import { MaternProcess } from '../gp/matern.js';
import { checkTold, type Sampler } from '../sampler.js';
import { cornerOf, cut, randomPoint, relaxedDimensions } from './relaxed-space.js';
import { upperBoundMaximum } from './upper-bound.js';

/** Random points before the first modelled one: the library's default (the reference probes known answers instead). */
const INITIAL = 5;
/** The library's default. */
const KAPPA = 2.576;

/**
 * The reference's search (Draft & Verify, arXiv 2309.08168, section 4.1; `searching.py` of its code, on the package
 * bayesian-optimization 1.x): Bayesian optimisation over [0, 1]^2L with one Matern 5/2 length scale (gp/matern.ts) and the
 * upper confidence bound, each point cut at 0.5 into a mask. The model is told the relaxed point, not the mask; masks may
 * come twice. Of the reference it differs in: no published answers probed first, a length scale that is not fitted at every
 * trial, and a rule that is searched too where the space says so (relaxed-space.ts).
 *
 * A journal has masks and no relaxed points. So `tell` works out what `ask` would have said, and takes that point where its
 * cut is what it was told, else the corner of the mask: resuming costs what the asks had cost. An ask costs O(N^2)
 * (upper-bound.ts).
 */
export function createRelaxedGpSampler(space: SearchSpace, seed: number): Sampler {
  const model = new MaternProcess(relaxedDimensions(space));
  let pending = 0;
  let next: { readonly point: Float64Array; readonly candidate: Candidate } | undefined;

  const proposal = () => {
    if (next) return next;
    const random = new Random(seed, 2 * model.count + 1);
    const point =
      model.count < INITIAL ? randomPoint(space, random) : upperBoundMaximum(model, KAPPA, random);
    next = { point, candidate: cut(point, space) };
    return next;
  };

  return {
    ask() {
      if (pending++ === 0) return proposal().candidate;
      // A second proposal before the first one's score: nothing is known to tell them apart.
      return cut(randomPoint(space, new Random(seed, 2 * (model.count + pending))), space);
    },
    expect() {
      pending++;
    },
    tell(candidate, score, noiseVariance = 0) {
      checkTold(space.bits, candidate, score, noiseVariance);
      const own = proposal();
      const isOwn = candidateKey(own.candidate) === candidateKey(candidate);
      model.append(isOwn ? own.point : cornerOf(candidate, space), score);
      pending = Math.max(0, pending - 1);
      next = undefined;
    },
  };
}
