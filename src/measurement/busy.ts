import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Share of the CPU that other processes may take for a moment: less than one busy thread of two. */
const BUSY_SHARE = 0.25;
/** Load average for each core above which timings are not to be trusted. */
const BUSY_LOAD = 0.5;
/** Share of the CPU that other processes may take while something is measured. */
const OTHERS_SHARE = 0.1;

/** CPU seconds below which readings in ticks of 10 ms tell nothing. */
const SHORTEST = 0.2;

/** What {@link busyWarning} begins with, in files too. */
const BUSY = 'This machine is busy';

/** Whether a sentence is a {@link busyWarning}. */
export function isBusyWarning(sentence: string): boolean {
  return sentence.startsWith(BUSY);
}

/** Whether what other processes took of the CPU for a moment disturbs what was timed in it. */
export function isBusy(others: number): boolean {
  return others > BUSY_SHARE;
}

/** CPU seconds of the whole machine since it started; only differences mean something. */
export interface CpuTimes {
  /** Spent on anything, time taken by other guests of the same host included. */
  readonly busy: number;
  readonly total: number;
}

/**
 * A sentence that says the machine is busy with other work, or undefined when it is quiet: other processes used more than a
 * quarter of the CPU during a short sample. The load average is not asked: it counts for minutes what is over, such as the
 * installation before a first search.
 * @param sampleMilliseconds length of the sample, default 300.
 */
export async function busyWarning(sampleMilliseconds = 300): Promise<string | undefined> {
  const othersSince = watchOthers();
  await sleep(sampleMilliseconds);
  const others = othersSince();
  if (!isBusy(others)) return undefined;
  return `${BUSY}: other processes use ${percent(others)} of the CPU; timings will be noisy and speedups may be wrong.`;
}

/** A sentence that says that the machine was busy while something was measured, or undefined when others took a tenth of the CPU at most. */
export function busyMeanwhileWarning(others: number, measured: string): string | undefined {
  if (others <= OTHERS_SHARE) return undefined;
  return `This machine was busy: other processes used ${percent(others)} of the CPU during ${measured}; repeat it on a quiet machine, as its timings are noisy.`;
}

/**
 * Starts to watch what other processes take of the CPU.
 * @returns what tells their share since then, 0 to 1; time that other guests of the same host took counts as theirs.
 */
export function watchOthers(): () => number {
  const before = cpuTimes();
  const ownBefore = process.cpuUsage();
  return () => {
    const own = process.cpuUsage(ownBefore);
    return othersShare(before, cpuTimes(), (own.user + own.system) / 1e6);
  };
}

/** What an environment tells of other work on the machine. */
interface Load {
  readonly logical_cores: number;
  readonly load_average: readonly number[];
  readonly others_cpu_share?: number | undefined;
}

/**
 * Why the timings made in an environment are not to be trusted, as the end of a sentence; undefined where the machine was quiet.
 * The load average is asked only where nobody watched: it counts what this very process did before.
 */
export function busyReason({
  logical_cores: cores,
  load_average: [load = 0],
  others_cpu_share: others,
}: Load): string | undefined {
  if (others !== undefined)
    return others > OTHERS_SHARE ? `other processes used ${percent(others)} of the CPU` : undefined;
  return load > BUSY_LOAD * cores ? `load average ${load} on ${cores} logical cores` : undefined;
}

/**
 * The share of the machine's CPU time that went to other processes between two readings, 0 to 1; 0 where these are too close together
 * to tell.
 * @param ownSeconds CPU seconds of this process in between.
 */
export function othersShare(before: CpuTimes, after: CpuTimes, ownSeconds: number): number {
  const total = after.total - before.total;
  if (total < SHORTEST) return 0;
  return Math.min(1, Math.max(0, (after.busy - before.busy - ownSeconds) / total));
}

/**
 * The first line of Linux's /proc/stat: user, nice, system, idle, iowait, irq, softirq and steal time in ticks of 10 ms
 * (guest time is part of user time already). Idle and iowait are free, steal is another guest's.
 * @returns undefined when the text is not of that form.
 */
export function parseProcStat(text: string): CpuTimes | undefined {
  const match = /^cpu +((?:\d+ ?)+)/.exec(text);
  const ticks = match?.[1].trim().split(' ').map(Number).slice(0, 8);
  if (ticks?.length !== 8) return undefined;
  const total = ticks.reduce((sum, x) => sum + x, 0) / 100;
  return { busy: total - (ticks[3] + ticks[4]) / 100, total };
}

function cpuTimes(): CpuTimes {
  try {
    const times = parseProcStat(readFileSync('/proc/stat', 'utf8'));
    if (times) return times;
  } catch {
    // Not Linux: what Node knows, which has no steal time.
  }
  let busy = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    busy += (times.user + times.nice + times.sys + times.irq) / 1000;
    idle += times.idle / 1000;
  }
  return { busy, total: busy + idle };
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}
