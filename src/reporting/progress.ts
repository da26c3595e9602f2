import cliProgress from 'cli-progress';
import { formatBytes, formatNumber, formatSeconds } from './format.js';

/** Where no bar can be drawn, a line is printed this often at most. */
const LINE_INTERVAL_MS = 5000;
const BAR_WIDTH = 24;
/** A shorter bar says nothing; then it is left out. */
const LEAST_BAR_WIDTH = 5;
/** Columns of a terminal that does not tell. */
const DEFAULT_COLUMNS = 80;

/** Progress of one piece of work, shown on stderr. */
export interface Progress {
  /**
   * @param done units done so far, those of an earlier run included.
   * @param note what else to show, such as the best so far; the last one stays until another is given.
   */
  update(done: number, note?: string): void;
  /** Shows the final state and ends the display; call it in a `finally`. */
  stop(): void;
}

/** What to show. */
export interface ProgressOptions {
  readonly label: string;
  /** Units in all; unknown when absent, and then no bar and no time left is shown. */
  readonly total?: number;
  /** Units already done by an earlier run (a resumed study), which say nothing about the speed of this one. Default 0. */
  readonly done?: number;
  /** What is counted, such as `trials`; `bytes` are shown in binary units, `%` without the total. */
  readonly unit: string;
  /** Shows nothing at all. */
  readonly quiet: boolean;
  /** Default: `process.stderr`. */
  readonly stream?: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

/**
 * Starts showing progress: a live bar with the time left on a terminal; elsewhere a plain line every 5 seconds and one
 * at the end, so that a log stays readable.
 */
export function createProgress(options: ProgressOptions): Progress {
  if (options.quiet) return { update: () => {}, stop: () => {} };
  const state = { done: options.done ?? 0, note: '', started: Date.now(), stopped: false };
  const stream = options.stream ?? process.stderr;
  const show = stream.isTTY ? liveBar(options, state, stream) : plainLines(options, state, stream);
  return {
    update(done, note) {
      state.done = done;
      if (note !== undefined) state.note = note;
      show.update();
    },
    stop() {
      if (state.stopped) return;
      state.stopped = true;
      show.stop();
    },
  };
}

interface State {
  done: number;
  note: string;
  readonly started: number;
  stopped: boolean;
}

interface Display {
  update(): void;
  stop(): void;
}

function liveBar(
  options: ProgressOptions,
  state: State,
  stream: NonNullable<ProgressOptions['stream']>,
): Display {
  const bar = new cliProgress.SingleBar({
    stream,
    // The library would switch line wrapping off and leave it off when the process is killed.
    linewrap: true,
    barsize: BAR_WIDTH,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    format: ({ barCompleteString = '', barIncompleteString = '' }) => {
      // The library cuts what does not fit, and the time left stands at the end.
      const room = (stream.columns ?? DEFAULT_COLUMNS) - describe(options, state).length - 2;
      const barsize = Math.min(BAR_WIDTH, room);
      if (options.total === undefined || barsize < LEAST_BAR_WIDTH) return describe(options, state);
      const full = Math.round(Math.min(1, state.done / options.total) * barsize);
      const drawn = barCompleteString.slice(0, full) + barIncompleteString.slice(0, barsize - full);
      return describe(options, state, ` ${drawn}`);
    },
  });
  bar.start(options.total ?? 0, state.done);
  return { update: () => bar.update(state.done), stop: () => bar.stop() };
}

function plainLines(
  options: ProgressOptions,
  state: State,
  stream: NodeJS.WritableStream,
): Display {
  let printed = state.started;
  return {
    update() {
      if (Date.now() - printed < LINE_INTERVAL_MS) return;
      printed = Date.now();
      stream.write(`${describe(options, state)}\n`);
    },
    stop: () => stream.write(`${describe(options, state)}\n`),
  };
}

/** `search ████░░░░ 12/40 trials, 1 min 20 s left, best 1.31x` */
function describe({ label, total, unit, done = 0 }: ProgressOptions, state: State, bar = '') {
  const amount = unit === 'bytes' ? formatBytes : (n: number) => formatNumber(n);
  const count = total === undefined ? amount(state.done) : `${amount(state.done)}/${amount(total)}`;
  const elapsed = (Date.now() - state.started) / 1000;
  const counted = { bytes: count, '%': `${formatNumber(state.done)}%` }[unit];
  const parts = [counted ?? `${count} ${unit}`];
  if (state.stopped && done > 0 && state.done === done) {
    parts.push('all from an earlier run');
  } else if (state.stopped) {
    parts.push(`took ${formatSeconds(elapsed)}`);
  } else if (total !== undefined && state.done > done && state.done < total) {
    const left = (elapsed / (state.done - done)) * (total - state.done);
    parts.push(`${formatSeconds(Math.ceil(left))} left`);
  }
  if (state.note !== '') parts.push(state.note);
  return `${label}${bar} ${parts.join(', ')}`;
}
