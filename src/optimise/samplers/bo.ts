import { Random } from '../../random.js';
import {
  type Candidate,
  candidateKey,
  randomDraft,
  randomMask,
  type SearchSpace,
} from '../candidate.js';
import { FIT_POINTS } from '../gp/fit.js';
import { GaussianProcess, type Observation, type Posterior } from '../gp/model.js';
import { checkTold, type Sampler } from '../sampler.js';
import { Acquisition } from './acquisition.js';
import { believing } from './believer.js';
import { initialDesign } from './initial-design.js';
import { climb, type Proposal } from './local-search.js';
import { TrustRegion } from './trust-region.js';

/** A model and how many trials its hyperparameters were fitted to. */
interface FittedModel {
  readonly gp: GaussianProcess;
  readonly fittedOn: number;
}

/** A sampler that also says what it believes. */
export interface BoSampler extends Sampler {
  /**
   * Mean and variance of a candidate's noise-free score, for ranking finalists; undefined before the first trial.
   * With noisy scores rank by this mean, not by the scores.
   */
  posterior(candidate: Candidate): Posterior | undefined;
}

/** Hyperparameters are fitted anew whenever the number of trials has grown by this factor since the last fit. */
const REFIT_GROWTH = 1.2;
/** Climbs start from this many best posterior means, from a random mask in the trust region of each, ... */
const INCUMBENTS = 3;
/** ... and from this many masks drawn anywhere. */
const RESTARTS = 2;
/** Multiplications that the climbs of one `ask` may spend together: about a fifth of a second; ... */
const WORK = 2e8;
/** ... and of one that, after many trials, fits hyperparameters or makes all factors anew. */
const WORK_BESIDE_FIT = WORK / 4;

/**
 * Bayesian optimisation over skip masks and draft rules: a Gaussian process with heat and linear kernels on the bits
 * (gp/kernel.ts), hyperparameters by maximum a posteriori, LogEI maximised by local search in Hamming trust regions
 * around the best posterior means. A candidate is tried once, unless everything within reach was tried: then the best
 * one is measured again.
 * @param initial tried first, in this order (a warm start); may be empty.
 */
export function createBoSampler(
  space: SearchSpace,
  seed: number,
  initial: readonly Candidate[],
): BoSampler {
  const design = initialDesign(space, seed, initial);
  const told: Observation[] = [];
  const seen = new Set<string>();
  const pending = new Map<string, Candidate>();
  const region = new TrustRegion(space.bits);
  let bestScore = -Infinity;
  let model: FittedModel | undefined;
  /** Takes the place of `model` at the next ask. */
  let next: FittedModel | undefined;

  const excluded = (candidate: Candidate) => {
    const key = candidateKey(candidate);
    return seen.has(key) || pending.has(key) || !candidate.mask.includes(1);
  };

  /**
   * How many trials the fit saw that is used when `count` are told. After many trials a fit is made at the ask when it is due
   * and used from the next one on, because the fit and the model's factors together would take one ask too long.
   */
  function fitInUse(count: number): number {
    const seenBy = count > FIT_POINTS ? count - 1 : count;
    let point = Math.min(design.length, seenBy);
    while (Math.ceil(point * REFIT_GROWTH) <= seenBy) point = Math.ceil(point * REFIT_GROWTH);
    return point;
  }
  const fitted = (fittedOn: number): FittedModel => ({
    gp: GaussianProcess.fitTo(space.bits, told.slice(0, fittedOn)),
    fittedOn,
  });

  /** The model of all trials told: a function of `told` alone. */
  function currentModel(): GaussianProcess {
    const inUse = fitInUse(told.length);
    if (model?.fittedOn !== inUse) model = next?.fittedOn === inUse ? next : fitted(inUse);
    if (model.gp.count < told.length) model.gp.append(told.slice(model.gp.count));
    return model.gp;
  }

  function propose(random: Random, work: number): Candidate {
    const { gp, held } = believing(currentModel(), told, pending.values());
    const acquisition = new Acquisition(gp);
    const means = gp.observedMeans();
    const best = Array.from(means.keys())
      .sort((a, b) => means[b] - means[a])
      .slice(0, INCUMBENTS)
      .map((a) => held[a]);
    const starts = [
      ...best.map((candidate) => ({ start: candidate, center: candidate.mask })),
      ...best.map((candidate) => ({
        start: perturbed(candidate, region.radius, space, random),
        center: candidate.mask,
      })),
      ...Array.from({ length: RESTARTS }, () => {
        const mask = randomMask(space.bits, random.uniform(), random);
        return { start: { mask, draft: randomDraft(space, random) }, center: mask };
      }),
    ];
    let proposal: Proposal | undefined;
    for (const { start, center } of starts) {
      const within = { center, radius: region.radius, excluded };
      const found = climb(acquisition, start, within, space, random, work / starts.length);
      if (found && (!proposal || found.value > proposal.value)) proposal = found;
    }
    return proposal?.candidate ?? best[0];
  }

  return {
    ask() {
      const trial = told.length + pending.size;
      const random = new Random(seed, trial + 1);
      let candidate = trial < design.length ? design.find((d) => !excluded(d)) : undefined;
      if (!candidate && told.length > 0) {
        const { length } = told;
        // The fit changes at this ask or is made in it for the next one.
        const isLong = length > FIT_POINTS && fitInUse(length - 1) !== fitInUse(length + 1);
        candidate = propose(random, isLong ? WORK_BESIDE_FIT : WORK);
        const due = fitInUse(length + 1);
        if (length > FIT_POINTS && due !== model?.fittedOn && due !== next?.fittedOn)
          next = fitted(due);
      }
      candidate ??= {
        mask: randomMask(space.bits, random.uniform(), random),
        draft: randomDraft(space, random),
      };
      pending.set(candidateKey(candidate), candidate);
      return candidate;
    },
    expect(candidate) {
      pending.set(candidateKey(candidate), candidate);
    },
    tell(candidate, score, noiseVariance = 0) {
      checkTold(space.bits, candidate, score, noiseVariance);
      const key = candidateKey(candidate);
      pending.delete(key);
      seen.add(key);
      if (told.length >= design.length) region.report(score > bestScore);
      bestScore = Math.max(bestScore, score);
      told.push({ candidate, score, noiseVariance });
    },
    posterior: (candidate) => (told.length > 0 ? currentModel().posterior(candidate) : undefined),
  };
}

/** A copy with one to `radius` random bits flipped, never the empty mask. */
function perturbed(from: Candidate, radius: number, space: SearchSpace, random: Random): Candidate {
  const mask = from.mask.slice();
  for (let flips = 1 + random.integer(radius); flips > 0; flips--)
    mask[random.integer(space.bits)] ^= 1;
  if (!mask.includes(1)) return from;
  return { mask, draft: random.uniform() < 0.5 ? from.draft : randomDraft(space, random) };
}
