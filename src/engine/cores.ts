import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus } from 'node:os';

/**
 * Physical cores that this process may use, the default number of threads: a second thread on a core only gets in the
 * way of matrix products. On Linux counted from /proc/cpuinfo; elsewhere all logical cores on ARM (one thread each) and
 * half of them on x86.
 */
export function physicalCores(): number {
  let counted: number | undefined;
  try {
    counted = countPhysicalCores(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    // Not Linux.
  }
  const threadsPerCore = process.platform !== 'linux' && arch() === 'x64' ? 2 : 1;
  return (
    Math.min(counted ?? Math.ceil(cpus().length / threadsPerCore), availableParallelism()) || 1
  );
}

/** Distinct (package, core) pairs in the text of /proc/cpuinfo; undefined where it does not list them (ARM, some VMs). */
export function countPhysicalCores(cpuinfo: string): number | undefined {
  const cores = new Set<string>();
  for (const processor of cpuinfo.split(/\n\s*\n/)) {
    const core = /^core id\s*:\s*(\d+)/m.exec(processor)?.[1];
    if (core === undefined) continue;
    cores.add(`${/^physical id\s*:\s*(\d+)/m.exec(processor)?.[1] ?? 0}:${core}`);
  }
  return cores.size > 0 ? cores.size : undefined;
}

/** The CPU's model name; `unknown` where the system does not tell. */
export function cpuModel(): string {
  return cpus()[0]?.model.trim() || 'unknown';
}
