import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ['1', 0],
  ['', 1],
])('NO_COLOR=%s beside FORCE_COLOR=1: colour level %i', async (noColor, level) => {
  vi.resetModules();
  vi.stubEnv('FORCE_COLOR', '1');
  vi.stubEnv('NO_COLOR', noColor);
  const { colours, stderrColours } = await import('../../src/reporting/colours.js');
  expect(colours.level).toBe(level);
  expect(stderrColours.level).toBe(level);
});
