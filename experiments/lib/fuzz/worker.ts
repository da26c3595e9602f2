/**
 * The process that takes inputs of one door through it, one after the other: a process, so that what ends or stops it is seen.
 * `run.ts` starts it with the door, the seed, the numbers of the first input and of the one after the last, and its folder: inputs
 * lie in `inside`, and what is beside that stays as it is. On stdout, a line of JSON before each input and one after.
 */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../../src/files.js';
import { Random } from '../../../src/random.js';
import { type DoorName, doors } from './doors/index.js';
import { guardWrites, takeOutsideWrites } from './guard-writes.js';
import { faultOf, kindOf } from './judge.js';
import type { InputReport } from './run.js';

const [name, seed, from, to, scratch = '', keep = ''] = process.argv.slice(2);
const door = doors[name as DoorName]();
const folder = join(scratch, 'inside', 'input');

/** At once, so that it is told before what may end the process. A full pipe is waited for. */
function tell(report: InputReport): void {
  const bytes = Buffer.from(`${JSON.stringify(report)}\n`);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Memory as the system counts it, in bytes: now, and at most since `forgetPeak`. */
function memory(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}

const forgetPeak = () => writeFileSync('/proc/self/clear_refs', '5');

/** What lies beside the folder of inputs, which nothing may write to. */
const beside = () =>
  JSON.stringify([
    readdirSync(scratch),
    readdirSync(join(scratch, 'inside')),
    readdirSync(join(scratch, 'outside')),
  ]);

mkdirSync(join(scratch, 'outside'), { recursive: true });
mkdirSync(folder, { recursive: true });
const expected = beside();
process.env.XDG_CACHE_HOME = join(folder, 'cache');
for (let index = Number(from); index < Number(to); index++) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const input = door.make(new Random(Number(seed), index));
  let bytes = 0;
  for (const [file, content] of Object.entries(input)) {
    writeFileSync(join(folder, file), content);
    bytes += content.length;
  }
  tell({ begin: index, bytes });
  forgetPeak();
  const before = memory('VmRSS');
  let refusal: unknown;
  try {
    guardWrites(folder);
    await door.enter(folder);
  } catch (error) {
    refusal = error ?? 'nothing was thrown';
  } finally {
    guardWrites('');
  }
  const used = memory('VmHWM') - before;
  const faults: string[] = [];
  if (refusal !== undefined)
    faults.push(faultOf(refusal, [folder, 'org/name', '127.0.0.1', ...Object.keys(input)]) ?? '');
  for (const path of takeOutsideWrites())
    faults.push(`writes to ${JSON.stringify(path.slice(0, 300))}`);
  if (beside() !== expected) faults.push(`wrote beside its folder: ${beside()}`);
  const fault = faults.find((text) => text !== '');
  if (fault !== undefined)
    cpSync(folder, join(keep, `${name}-${seed}-${index}`), { recursive: true });
  const kind = refusal instanceof Error ? kindOf(refusal.message, folder) : undefined;
  tell({
    end: index,
    used,
    ...(kind === undefined ? {} : { kind }),
    ...(fault === undefined ? {} : { fault }),
  });
}
