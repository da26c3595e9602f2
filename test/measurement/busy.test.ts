import { beforeEach, expect, test, vi } from 'vitest';
import {
  busyMeanwhileWarning,
  busyReason,
  busyWarning,
  othersShare,
  parseProcStat,
  watchOthers,
} from '../../src/measurement/busy.js';

const machine = vi.hoisted(() => ({ busyTicks: 0, idleTicks: 0 }));
vi.mock('node:fs', () => ({
  readFileSync: () => {
    // Every reading is one second of a two-core machine later.
    machine.busyTicks += machine.busyTicks === 0 ? 0 : 150;
    machine.idleTicks += machine.idleTicks === 0 ? 0 : 150;
    return `cpu  ${machine.busyTicks} 0 0 ${machine.idleTicks} 0 0 0 0 0 0\ncpu0 1 2 3\n`;
  },
}));

beforeEach(() => {
  Object.assign(machine, { busyTicks: 0, idleTicks: 0 });
});

test('a quiet machine gives no warning', async () => {
  machine.idleTicks = 1000;
  expect(await busyWarning(1)).toBeUndefined();
});

test('other processes on much of the CPU give a warning', async () => {
  machine.busyTicks = 1000;
  expect(await busyWarning(1)).toMatch(/busy: other processes use \d+% of the CPU/);
});

test('the first line of /proc/stat: waiting is idle, stolen time is busy', () => {
  const text = 'cpu  100 10 20 1000 50 5 5 60 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n';
  expect(parseProcStat(text)).toEqual({ busy: 2, total: 12.5 });
  expect(parseProcStat('intr 12 3')).toBeUndefined();
});

test("this process's own work does not count", () => {
  const before = { busy: 10, total: 100 };
  expect(othersShare(before, { busy: 13, total: 104 }, 1)).toBeCloseTo(0.5, 12);
  expect(othersShare(before, { busy: 11, total: 104 }, 2)).toBe(0);
  expect(othersShare(before, before, 0)).toBe(0);
});

test('what others take is watched for as long as one likes', () => {
  machine.busyTicks = 1000;
  machine.idleTicks = 1000;
  const since = watchOthers();
  expect(since()).toBeGreaterThan(0.3);
});

test('a watched share tells whether a measurement was disturbed; the load average only where nobody watched', () => {
  const load = { logical_cores: 2, load_average: [2, 2, 2] };
  expect(busyReason(load)).toBe('load average 2 on 2 logical cores');
  expect(busyReason({ ...load, load_average: [1] })).toBeUndefined();
  expect(busyReason({ ...load, others_cpu_share: 0.1 })).toBeUndefined();
  expect(busyReason({ ...load, others_cpu_share: 0.25 })).toBe(
    'other processes used 25% of the CPU',
  );
});

test('what others took meanwhile gives a warning from a tenth of the CPU on', () => {
  expect(busyMeanwhileWarning(0.1, 'the search')).toBeUndefined();
  expect(busyMeanwhileWarning(0.23, 'the search')).toMatch(
    /^This machine was busy: other processes used 23% of the CPU during the search;/,
  );
});
