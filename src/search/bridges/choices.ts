import { type Bridge, type SkippedRun, skippedRuns } from '../../profile/draft-plan.js';
import type { BridgeFitter } from './fit.js';

/** What may stand in place of the runs that a mask skips. */
export interface BridgeChoice {
  readonly bridges: readonly Bridge[];
  /** Share of the right tokens of the choice before all others that this one, which is cheaper, must have to be looked at. */
  readonly closeEnough: number;
}

/** Bridges of which the longest has a memory, bridges without, and none: each cheaper than the one before, and mostly worse. */
export async function bridgeChoices(
  fitter: BridgeFitter,
  bits: Uint8Array,
  mayRemember: boolean,
): Promise<BridgeChoice[]> {
  const runs = skippedRuns(bits);
  if (runs.length === 0) return [{ bridges: [], closeEnough: 1 }];
  const bridges: Bridge[] = [];
  for (const run of runs) bridges.push(await fitter.fit(run, { memory: false }));
  const choices: BridgeChoice[] = [
    { bridges, closeEnough: 0.97 },
    { bridges: [], closeEnough: 0.9 },
  ];
  const longest = longestRun(runs);
  if (!mayRemember || !longest) return choices;
  const memory = await fitter.fit(longest, { memory: true });
  const remembering = bridges.map((bridge) => (bridge.from === longest.from ? memory : bridge));
  return [{ bridges: remembering, closeEnough: 1 }, ...choices];
}

/** The run that a memory tells most of; the first of equals. */
function longestRun(runs: readonly SkippedRun[]): SkippedRun | undefined {
  const length = ({ from, to }: SkippedRun) => to - from;
  return [...runs].sort((a, b) => length(b) - length(a))[0];
}
