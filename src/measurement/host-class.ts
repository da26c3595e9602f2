import { arch, hostname } from 'node:os';
import { cpuModel, physicalCores } from '../engine/cores.js';
import { runtimeVersions, toolVersion } from './environment.js';

/** What times depend on beside model, precision and threads; those of one class can be compared. In snake_case, as it is written. */
export interface HostClass {
  readonly cpu: string;
  readonly cores: number;
  readonly arch: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly sspec: string;
}

/** The class of this machine. */
export function hostClass(): HostClass {
  return {
    cpu: cpuModel(),
    cores: physicalCores(),
    arch: arch(),
    ...runtimeVersions(),
    sspec: toolVersion(),
  };
}

/** How a study names this process among those of all machines. */
export function hostName(): string {
  return `${hostname().slice(0, 64)} ${process.pid}`;
}
