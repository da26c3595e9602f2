import { readFileSync } from 'node:fs';

const fields = { now: 'VmRSS', most: 'VmHWM', files: 'RssFile' } as const;

/**
 * Memory of this process in bytes, as Linux counts it: now, at most so far, or what of it now are pages of files, which the system
 * drops when it needs room. Unlike `resourceUsage` it does not begin with what the parent had.
 */
export function processMemory(what: keyof typeof fields): number {
  const field = fields[what];
  const status = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
}
