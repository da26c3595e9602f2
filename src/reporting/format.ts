import { isTooFew, TOO_FEW } from '../measurement/few-prompts.js';

const MINUTE = 60;
const HOUR = 3600;

/** `1.234` as `1.23x`. */
export function formatSpeedup(speedup: number): string {
  return `${speedup.toFixed(2)}x`;
}

/** An interval of speedups, `[1.18, 1.29]`. */
export function formatInterval([low, high]: readonly [number, number]): string {
  return `[${low.toFixed(2)}, ${high.toFixed(2)}]`;
}

/** The same where so many prompts allow one. */
export function formatMeasured(interval: readonly [number, number], prompts: number): string {
  return isTooFew(prompts) ? TOO_FEW : formatInterval(interval);
}

/** A share of 1 as `87.3%`. */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

/** A byte count in binary units, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  // 1023.95 would round to "1024.0".
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A duration in the two units that fit it: `350 us`, `2.31 ms`, `4.1 s`, `3 min 20 s`, `1 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.9995e-3) return `${Math.round(seconds * 1e6)} us`;
  if (seconds < 0.9995) return `${(seconds * 1e3).toPrecision(3)} ms`;
  if (seconds < MINUTE - 0.05) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min ${whole % MINUTE} s`;
  const minutes = Math.round(seconds / MINUTE);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** An integer in full, anything else in four significant digits (`0.6667`, `43.25`, `12346`). */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e3 && size < 1e15) return value.toFixed(0);
  return String(Number(value.toPrecision(4)));
}

/** Layers as ranges, `1-3,5`, which `--skip-attention` and `--skip-mlp` take; ascending, without repeats. */
export function formatLayers(layers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const layer of layers) {
    const last = runs.at(-1);
    if (last && layer === last[1] + 1) last[1] = layer;
    else runs.push([layer, layer]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

/** A draft exit, such as `exit threshold at 0.4`; the threshold is shown where the exit has one. */
export function formatExit(exit: string, threshold: number): string {
  return exit === 'fixed' || exit === 'cost' ? `exit ${exit}` : `exit ${exit} at ${threshold}`;
}

/** A figure, or a dash where there is none. */
export function formatKnown<T>(value: T | null, format: (value: T) => string): string {
  return value === null ? '-' : format(value);
}
