import { Random } from '../../random.js';
import { type Candidate, candidateKey, randomDraft, type SearchSpace } from '../candidate.js';
import { MaternProcess } from '../gp/matern.js';
import { checkTold, type Sampler } from '../sampler.js';
import { cornerOf, cutRule, relaxedDimensions } from './relaxed-space.js';
import { upperBoundMaximum } from './upper-bound.js';

/** Share of the sublayers between the first and the last layer that every mask skips. */
const SKIP_RATIO = 0.45;
/** Every so many trials one is proposed by the model. */
const BAYES_INTERVAL = 25;
const KAPPA = 2.5;

/**
 * SWIFT's search (Xia et al. 2024, arXiv 2410.06916, section 4.2; `swift_optimization` of its code): the first and the last
 * layer are kept, of the other sublayers a fixed share is skipped. It begins with every other layer; then masks are random,
 * and every 25th comes from a Gaussian process on the relaxed bits (gp/matern.ts, upper confidence bound), of whose point the
 * greatest bits are taken. As there the model is told that relaxed point, and the corner of a random mask. SWIFT scores by
 * teacher-forced match while it serves; here the score is the study's. A rule that is searched is drawn at random, or is the
 * model's.
 *
 * Resuming costs what the modelled asks had cost: see relaxed-gp.ts.
 */
export function createSwiftSampler(space: SearchSpace, seed: number): Sampler {
  const model = new MaternProcess(relaxedDimensions(space));
  const inner = Array.from({ length: space.bits }, (_, bit) => bit).filter(
    (bit) => space.bits <= 4 || (bit >= 2 && bit < space.bits - 2),
  );
  const count = Math.max(1, Math.floor(inner.length * SKIP_RATIO));
  let pending = 0;
  let next: { readonly candidate: Candidate; readonly point: Float64Array } | undefined;

  const skipping = (bits: Iterable<number>) => {
    const mask = new Uint8Array(space.bits);
    for (const bit of bits) mask[bit] = 1;
    return mask;
  };
  const drawn = (random: Random): Candidate => {
    const mask = skipping(random.shuffle([...inner]).slice(0, count));
    return { mask, draft: randomDraft(space, random) };
  };

  const proposal = () => {
    if (next) return next;
    const trial = model.count;
    const random = new Random(seed, 2 * trial + 1);
    if (trial > 0 && trial % BAYES_INTERVAL === 0) {
      const point = upperBoundMaximum(model, KAPPA, random);
      const order = [...inner].sort((a, b) => point[b] - point[a] || a - b);
      const mask = skipping(order.slice(0, count));
      next = { candidate: { mask, draft: cutRule(point, space) }, point };
      return next;
    }
    const candidate =
      trial === 0
        ? { mask: skipping(everyOtherLayer(inner)), draft: randomDraft(space, random) }
        : drawn(random);
    next = { candidate, point: cornerOf(candidate, space) };
    return next;
  };

  return {
    ask() {
      if (pending++ === 0) return proposal().candidate;
      return drawn(new Random(seed, 2 * (model.count + pending)));
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

/** Both sublayers of layers 1, 3, 5, ... */
function everyOtherLayer(inner: readonly number[]): number[] {
  const odd = inner.filter((bit) => (bit >> 1) % 2 === 1);
  return odd.length > 0 ? odd : inner.slice(0, 1);
}
