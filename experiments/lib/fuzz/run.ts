/** Runs a door's inputs in processes, and tells which of them ended, stopped or burdened one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../../src/package-root.js';
import type { DoorName } from './doors/index.js';

/** An input that takes longer hangs. */
const LONGEST_MS = 5000;
/** What an input may take of memory beside its own size. */
export const MOST_BYTES = 256 * 2 ** 20;
/** Of a process's own; what needs more ends it. */
const HEAP_MIB = 1024;
/** Inputs for one process, so that what one leaves behind does not count for ten thousand others. */
const BATCH = 1000;

const worker = fileURLToPath(new URL('./worker.ts', import.meta.url));
const loader = join(packageRoot(), 'test', 'register-typescript.mjs');

/** What a process tells of an input, before and after it. */
export type InputReport =
  | { readonly begin: number; readonly bytes: number }
  | {
      readonly end: number;
      readonly used: number;
      readonly kind?: string;
      readonly fault?: string;
    };

/** Something wrong that an input showed. */
export interface Finding {
  readonly door: DoorName;
  readonly input: number;
  readonly what: string;
}

/** What came of a door's inputs. */
export interface DoorReport {
  readonly door: DoorName;
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: number;
  /** Different sentences that they were refused with, less names and numbers. */
  readonly kinds_of_refusal: number;
  readonly most_memory_bytes: number;
  readonly seconds: number;
  readonly findings: readonly Finding[];
}

export interface FuzzOptions {
  readonly runs: number;
  readonly seed: number;
  /** Number of the first input. */
  readonly from: number;
  /** Folder for the inputs that showed something. */
  readonly keep: string;
  readonly onProgress?: (done: number) => void;
}

/** Takes mutated inputs through a door. */
export async function fuzzDoor(door: DoorName, options: FuzzOptions): Promise<DoorReport> {
  const { runs, seed, from, keep, onProgress = () => {} } = options;
  const began = performance.now();
  const kinds = new Set<string>();
  const findings: Finding[] = [];
  let [accepted, refused, mostMemory] = [0, 0, 0];
  for (let next = from; next < from + runs; ) {
    const scratch = mkdtempSync(join(tmpdir(), 'sspec-fuzz-'));
    const to = Math.min(next + BATCH, from + runs);
    const child = startWorker([door, `${seed}`, `${next}`, `${to}`, scratch, keep]);
    let bytes = 0;
    const ended = await watch(child, (report) => {
      if ('begin' in report) {
        bytes = report.bytes;
        return;
      }
      const { end, used, kind, fault } = report;
      next = end + 1;
      onProgress(next - from);
      if (kind === undefined) accepted++;
      else refused++;
      if (kind !== undefined) kinds.add(kind);
      mostMemory = Math.max(mostMemory, used - bytes);
      if (fault !== undefined) findings.push({ door, input: end, what: fault });
      if (used > MOST_BYTES + bytes)
        findings.push({ door, input: end, what: `took ${Math.round(used / 2 ** 20)} MiB` });
    });
    if (ended !== undefined) {
      if (ended.input === undefined) throw new Error(`The process of ${door} ended: ${ended.what}`);
      cpSync(join(scratch, 'inside', 'input'), join(keep, `${door}-${seed}-${ended.input}`), {
        recursive: true,
      });
      findings.push({ door, input: ended.input, what: ended.what });
      next = ended.input + 1;
    }
    rmSync(scratch, { recursive: true, force: true });
  }
  return {
    ...{ door, inputs: runs, accepted, refused, kinds_of_refusal: kinds.size },
    ...{ most_memory_bytes: mostMemory, seconds: (performance.now() - began) / 1000, findings },
  };
}

function startWorker(argv: string[]): ChildProcess {
  const flags = ['--no-warnings', `--max-old-space-size=${HEAP_MIB}`, '--import', loader];
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    HF_TOKEN: '',
    HF_HUB_OFFLINE: '',
    HF_HUB_CACHE: '',
  };
  return spawn(process.execPath, [...flags, worker, ...argv], {
    ...{ env, stdio: ['ignore', 'pipe', 'pipe'] },
  });
}

/** Listens to a process until it ends; undefined when that was as it should be, else what the input under way did to it. */
async function watch(
  child: ChildProcess,
  onReport: (report: InputReport) => void,
): Promise<{ input: number | undefined; what: string } | undefined> {
  let input: number | undefined;
  let hangs = false;
  let timer: NodeJS.Timeout | undefined;
  let complaint = '';
  child.stderr?.on('data', (piece) => {
    complaint = (complaint + piece).slice(-2000);
  });
  const closed = new Promise<number | null>((done) => {
    child.on('close', done);
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    const report: InputReport = JSON.parse(line);
    clearTimeout(timer);
    input = 'begin' in report ? report.begin : undefined;
    if (input !== undefined)
      timer = setTimeout(() => {
        hangs = true;
        child.kill('SIGKILL');
      }, LONGEST_MS);
    onReport(report);
  }
  clearTimeout(timer);
  const code = await closed;
  if (code === 0) return undefined;
  if (hangs) return { input, what: `hangs: no end in ${LONGEST_MS / 1000} s` };
  return { input, what: `ends the process (${code ?? child.signalCode}): ${complaint}` };
}
