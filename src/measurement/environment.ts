import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { cpuModel, physicalCores } from '../engine/cores.js';

/** Where and with what a measurement was made; written beside the figures, hence in snake_case. */
export interface Environment {
  /** CPU model, such as `AMD EPYC 7763 64-Core Processor`. */
  readonly cpu: string;
  /** Those that the process may use. */
  readonly physical_cores: number;
  readonly logical_cores: number;
  readonly memory_bytes: number;
  /** Processes that ran or waited to, averaged over 1, 5 and 15 minutes before the measurement; zeros on Windows. */
  readonly load_average: readonly number[];
  /** Share of the CPU that other processes took while it ran, 0 to 1 (`watchOthers`); missing where nobody watched. */
  readonly others_cpu_share?: number | undefined;
  /** Kernel name, release and architecture. */
  readonly os: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly sspec: string;
  /** Threads of the session. */
  readonly threads: number;
  readonly precision: string;
  /** Hash of the model's weights. */
  readonly model_hash?: string;
  /** When this was taken, ISO 8601 in UTC. */
  readonly time: string;
}

/** Describes this machine and these versions. Call it before the measurement: the load average is that of now. */
export function describeEnvironment(run: {
  threads: number;
  precision: string;
  modelHash?: string;
}): Environment {
  return {
    cpu: cpuModel(),
    physical_cores: physicalCores(),
    logical_cores: cpus().length,
    memory_bytes: totalmem(),
    load_average: loadavg().map((load) => Math.round(load * 100) / 100),
    os: `${type()} ${release()} ${arch()}`,
    ...runtimeVersions(),
    sspec: toolVersion(),
    threads: run.threads,
    precision: run.precision,
    ...(run.modelHash === undefined ? {} : { model_hash: run.modelHash }),
    time: new Date().toISOString(),
  };
}

/** The version of sspec itself. */
export function toolVersion(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  // The sources and their compiled form lie at different depths below the package's folder.
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return packageVersion(join(directory, 'package.json'));
}

/** The versions of what decodes. */
export function runtimeVersions(): Pick<Environment, 'node' | 'onnxruntime'> {
  const { resolve } = createRequire(import.meta.url);
  return {
    node: process.versions.node,
    onnxruntime: packageVersion(resolve('onnxruntime-node/package.json')),
  };
}

function packageVersion(file: string): string {
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}
