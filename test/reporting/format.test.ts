import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLayerList } from '../../src/profile/mask.js';
import {
  formatBytes,
  formatInterval,
  formatLayers,
  formatNumber,
  formatPercent,
  formatSeconds,
  formatSpeedup,
} from '../../src/reporting/format.js';

test.each([
  [formatSpeedup(1.2349), '1.23x'],
  [formatInterval([1.184, 1.2]), '[1.18, 1.20]'],
  [formatPercent(0.8731), '87.3%'],
  [formatBytes(0), '0 B'],
  [formatBytes(1023), '1023 B'],
  [formatBytes(1536), '1.5 KiB'],
  [formatBytes(2 ** 20 - 1), '1.0 MiB'],
  [formatBytes(2 ** 50), '1024.0 TiB'],
  [formatSeconds(0.00035), '350 us'],
  [formatSeconds(0.00099999), '1.00 ms'],
  [formatSeconds(0.0023149), '2.31 ms'],
  [formatSeconds(0.9999), '1.0 s'],
  [formatSeconds(59.97), '1 min 0 s'],
  [formatSeconds(200), '3 min 20 s'],
  [formatSeconds(3599.9), '1 h 0 min'],
  [formatSeconds(3900), '1 h 5 min'],
  [formatNumber(5120), '5120'],
  [formatNumber(2 / 3), '0.6667'],
  [formatNumber(43.251), '43.25'],
  [formatNumber(12345.6), '12346'],
  [formatNumber(0.5), '0.5'],
  [formatLayers([]), ''],
  [formatLayers([1, 2, 3, 5, 7, 8]), '1-3,5,7-8'],
])('%s', (shown, expected) => {
  expect(shown).toBe(expected);
});

test('layers as ranges are what the flags take', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(99)), (some) => {
      const layers = some.sort((a, b) => a - b);
      expect(parseLayerList(formatLayers(layers), 100, '--skip-mlp')).toEqual(layers);
    }),
  );
});
