import type { SkippedRun } from '../profile/draft-plan.js';
import { maskToBits, type SkipMask } from '../profile/mask.js';
import { colours } from './colours.js';
import { lineWidth, wrapLine } from './width.js';

/** Most layers on one line: two characters each and the rows' names stay below 100 columns. */
const LAYERS_PER_LINE = 40;
const LABEL_WIDTH = 11;
const RULER_STEP = 5;
const RUNS = '■';
const SKIPPED = '·';
const BRIDGED = '─';

/**
 * A map of the layers for the terminal: a row for the attention sublayers, one for the MLPs, a ruler of layer numbers
 * above them. A filled square runs in the draft, a dot is skipped, a line is skipped with a bridge in its place, so that it reads
 * without colour too.
 * @param bridges over runs of skipped sublayers.
 * @param width another width than the terminal's.
 * @returns lines joined by newlines, at the end how much is skipped.
 */
export function maskMap(
  mask: SkipMask,
  layers: number,
  bridges: readonly SkippedRun[] = [],
  width = lineWidth(),
): string {
  const bits = maskToBits(mask, layers);
  for (const { from, to } of bridges) bits.fill(2, from, to);
  const lines: string[] = [];
  const perLine = layersPerLine(width);
  for (let from = 0; from < layers; from += perLine) {
    const shown = Array.from({ length: Math.min(perLine, layers - from) }, (_, i) => from + i);
    const row = (label: string, kind: 0 | 1) =>
      label.padEnd(LABEL_WIDTH) + shown.map((layer) => mark(bits[2 * layer + kind])).join(' ');
    lines.push(`${'layer'.padEnd(LABEL_WIDTH)}${colours.dim(ruler(shown))}`);
    lines.push(row('attention', 0), row('MLP', 1));
  }
  const skipped = `${mask.attention.length} of ${layers} attention, ${mask.mlp.length} of ${layers} MLP sublayers`;
  const bridged = bridges.length === 0 ? '' : `  ${mark(2)} bridged`;
  lines.push(
    ...wrapLine(`${mark(0)} runs in the draft  ${mark(1)} skipped${bridged}: ${skipped}`, width),
  );
  return lines.join('\n');
}

/** Whole steps of the ruler, at least one. */
function layersPerLine(width: number): number {
  const fitting = Math.floor((width - LABEL_WIDTH + 1) / 2 / RULER_STEP) * RULER_STEP;
  return Math.max(RULER_STEP, Math.min(LAYERS_PER_LINE, fitting));
}

/** @param what becomes of a sublayer: 0 runs, 1 skipped, 2 skipped with a bridge in its place. */
function mark(what: number): string {
  if (what === 0) return colours.green(RUNS);
  return what === 1 ? colours.dim(SKIPPED) : colours.cyan(BRIDGED);
}

function ruler(layers: readonly number[]): string {
  return layers
    .filter((layer) => layer % RULER_STEP === 0)
    .map((layer) => String(layer).padEnd(2 * RULER_STEP))
    .join('')
    .trimEnd();
}
