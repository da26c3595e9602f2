import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createProgress } from '../../src/reporting/progress.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A stream that keeps what is written; as a terminal, 90 columns wide. */
function sink(isTTY: boolean, columns = 90) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns });
  return { stream, text: () => String(stream.read() ?? '') };
}

const search = { label: 'search', total: 40, unit: 'trials', quiet: false };

test('not a terminal: a plain line every five seconds and one at the end', () => {
  const { stream, text } = sink(false);
  const progress = createProgress({ ...search, stream });
  for (let done = 1; done <= 12; done++) {
    vi.advanceTimersByTime(1000);
    progress.update(done, done === 3 ? 'best 1.31x' : undefined);
  }
  progress.stop();
  progress.stop();
  expect(text()).toBe(
    'search 5/40 trials, 35.0 s left, best 1.31x\n' +
      'search 10/40 trials, 30.0 s left, best 1.31x\n' +
      'search 12/40 trials, took 12.0 s, best 1.31x\n',
  );
});

test('per cent stand without their total', () => {
  const { stream, text } = sink(false);
  const progress = createProgress({
    label: 'Compiling',
    total: 100,
    unit: '%',
    quiet: false,
    stream,
  });
  vi.advanceTimersByTime(12_000);
  progress.update(100);
  progress.stop();
  expect(text()).toBe('Compiling 100%\nCompiling 100%, took 12.0 s\n');
});

test.each([80, 50])(
  'at %d columns the time left is on the line, whatever room is left for a bar',
  (columns) => {
    const label = 'Finalists decode the calibration prompts';
    const { stream, text } = sink(true, columns);
    const progress = createProgress({ ...search, label, total: 24, unit: 'prompts', stream });
    vi.advanceTimersByTime(10_000);
    progress.update(20);
    vi.advanceTimersByTime(500);
    progress.stop();
    const live = stripVTControlCharacters(text());
    if (columns === 80) expect(live).toMatch(/prompts █+░+ 20\/24 prompts, 3\.0 s left/);
    else expect(live).not.toMatch(/[█░]/);
  },
);

test('a terminal: a live bar on one line', () => {
  const { stream, text } = sink(true);
  const progress = createProgress({ ...search, stream });
  vi.advanceTimersByTime(10_000);
  progress.update(20, 'best 1.31x');
  vi.advanceTimersByTime(500);
  const live = stripVTControlCharacters(text());
  expect(live).toContain('search ████████████░░░░░░░░░░░░ 20/40 trials, 11.0 s left, best 1.31x');
  expect(live).not.toContain('\n');
  progress.stop();
  expect(stripVTControlCharacters(text())).toMatch(
    /20\/40 trials, took 10\.5 s, best 1\.31x\s*\n$/,
  );
});

test('a terminal is left with line wrapping and cursor on, whenever the process dies', () => {
  const { stream, text } = sink(true);
  createProgress({ ...search, stream }).stop();
  const written = text();
  expect(written).not.toContain('\x1b[?7l');
  expect(written).not.toContain('\x1b[?25l');
});

test('updates in a row without a turn of the event loop are drawn too', () => {
  const { stream, text } = sink(true);
  const progress = createProgress({ ...search, stream });
  text();
  vi.setSystemTime(Date.now() + 1000);
  progress.update(7);
  expect(text()).toContain('7/40 trials');
  progress.stop();
});

test('the time left does not count what an earlier run did', () => {
  const { stream, text } = sink(false);
  const progress = createProgress({ ...search, done: 30, stream });
  vi.advanceTimersByTime(6000);
  progress.update(32);
  expect(text()).toBe('search 32/40 trials, 24.0 s left\n');
});

test('what an earlier run did did not take its time', () => {
  const { stream, text } = sink(false);
  const progress = createProgress({ ...search, done: 40, stream });
  progress.update(40, 'best 1.31x');
  progress.stop();
  expect(text()).toBe('search 40/40 trials, all from an earlier run, best 1.31x\n');
});

test('an unknown total of bytes', () => {
  const { stream, text } = sink(false);
  const progress = createProgress({ label: 'pull', unit: 'bytes', quiet: false, stream });
  vi.advanceTimersByTime(5000);
  progress.update(3 * 2 ** 20);
  expect(text()).toBe('pull 3.0 MiB\n');
});

test('quiet: nothing at all', () => {
  for (const isTTY of [true, false]) {
    const { stream, text } = sink(isTTY);
    const progress = createProgress({ ...search, quiet: true, stream });
    vi.advanceTimersByTime(10_000);
    progress.update(5, 'best');
    progress.stop();
    expect(text()).toBe('');
  }
});
