import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus } from 'node:os';

/**
 * Physical cores that this process may use, the default number of threads: a second thread on a core only gets in the
 * way of matrix products. On Linux counted from /proc/cpuinfo; elsewhere all logical cores on ARM (one thread each) and
 * half of them on x86.
 */
export function physicalCores(): number {
  const cpuinfo = readCpuinfo();
  const counted = cpuinfo === null ? undefined : countPhysicalCores(cpuinfo);
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

/**
 * Whether products of 8 bits might saturate: kernels for x86 without VNNI add pairs of them in 16 bits. Only Linux tells; elsewhere
 * it has to be supposed.
 */
export function mayHaveSaturatingProducts(): boolean {
  return arch() === 'x64' && !hasVnni(readCpuinfo() ?? '');
}

/**
 * Whether products with weights of 4 bits round a single row otherwise than one among several: those kernels for x86 without VNNI do, which
 * add its blocks up in another order.
 */
export function roundsSingleRowsOtherwise(): boolean {
  return mayHaveSaturatingProducts();
}

/** Whether the text of /proc/cpuinfo has the flag of either kind of VNNI. */
export function hasVnni(cpuinfo: string): boolean {
  return /^flags\s*:.*\bavx(512)?_vnni\b/m.test(cpuinfo);
}

/** null where the system is not Linux. */
function readCpuinfo(): string | null {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return null;
  }
}

/**
 * The CPU's model name, on Linux and x86 with what multiplies integers in it, which speeds depend on and names of virtual machines do
 * not tell: `AMD EPYC (AVX-512, VNNI)`; `unknown` where the system does not tell.
 */
export function cpuModel(): string {
  const name = cpus()[0]?.model.trim() || 'unknown';
  const units = arch() === 'x64' ? vectorUnits(readCpuinfo() ?? '') : [];
  return units.length > 0 ? `${name} (${units.join(', ')})` : name;
}

/** Instruction sets that the runtime has kernels for, the widest vectors, VNNI and AMX, in the text of /proc/cpuinfo. */
export function vectorUnits(cpuinfo: string): string[] {
  const flags = /^flags\s*:(.*)/m.exec(cpuinfo)?.[1].split(' ') ?? [];
  const widest = flags.includes('avx512f') ? ['AVX-512'] : flags.includes('avx2') ? ['AVX2'] : [];
  const amx = flags.includes('amx_int8') ? ['AMX'] : [];
  return [...widest, ...(hasVnni(cpuinfo) ? ['VNNI'] : []), ...amx];
}
