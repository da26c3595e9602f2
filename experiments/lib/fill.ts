import { InputError } from '../../src/errors.js';
import {
  formatBytes,
  formatInterval,
  formatPercent,
  formatSeconds,
  formatSpeedup,
} from '../../src/reporting/format.js';

/** How a template's field is written; without one, as it stands. */
const formats: Readonly<Record<string, (value: number) => string>> = {
  fixed2: (value) => value.toFixed(2),
  fixed3: (value) => value.toFixed(3),
  count: (value) => value.toLocaleString('en'),
  percent: formatPercent,
  seconds: formatSeconds,
  bytes: formatBytes,
  speedup: formatSpeedup,
};

/**
 * A text with the fields of a JSON document in it: `{path.to.field}`, or `{path.to.field:format}`.
 * @throws InputError for a field that is not there or cannot be written so.
 */
export function fill(template: string, content: unknown): string {
  return template.replaceAll(/\{([\w.]+)(?::(\w+))?\}/g, (mark, path: string, format?: string) => {
    const value = fieldOf(content, path);
    if (format === undefined && (typeof value === 'string' || typeof value === 'number'))
      return String(value);
    const write = formats[format ?? ''];
    if (write && typeof value === 'number') return write(value);
    throw new InputError(`A result has nothing to write for ${mark}.`);
  });
}

/** The value at a path of names; undefined where there is none. */
export function fieldOf(content: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce((at, name) => (Object(at) === at ? Reflect.get(Object(at), name) : undefined), content);
}

/** `1.12x [1.05, 1.20]` */
export function speedupText(of: {
  readonly speedup: number | null;
  readonly speedup_ci95: readonly [number, number] | null;
}): string {
  if (of.speedup === null) return 'not timed';
  const ends = of.speedup_ci95 ? ` ${formatInterval(of.speedup_ci95)}` : '';
  return `${formatSpeedup(of.speedup)}${ends}`;
}
