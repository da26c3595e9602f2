import type { ModelConfig, Rope } from '../checkpoint/model-config.js';

/** Names of a rotation in the graph: of all layers, or of those with a window where they have their own. */
export type RopeName = 'rope' | 'windowed_rope';

/** Whether a layer has the sliding window, or the rotation of the layers that have it. */
function isWindowed({ windowedLayers }: ModelConfig, layer: number): boolean {
  return windowedLayers === null || windowedLayers.includes(layer);
}

/** Whether some layers have a window and others none, so that they read different biases. */
export function hasMixedWindows({ slidingWindow, windowedLayers }: ModelConfig): boolean {
  return slidingWindow !== null && windowedLayers !== null;
}

/** Whether a layer reads the bias of the layers with a window, beside the one of the others. */
export function readsWindowedBias(config: ModelConfig, layer: number): boolean {
  return hasMixedWindows(config) && isWindowed(config, layer);
}

/** The rotations of a model by their names. */
export function ropesOf(config: ModelConfig): readonly (readonly [RopeName, Rope])[] {
  const { ropeTheta: theta, ropeScaling: scaling, windowedRope } = config;
  const common = ['rope', { theta, scaling }] as const;
  return windowedRope === null ? [common] : [common, ['windowed_rope', windowedRope]];
}

/** The rotation of a layer; null where it has none. */
export function ropeOfLayer(config: ModelConfig, layer: number): RopeName | null {
  if (config.unrotatedLayers.includes(layer)) return null;
  return config.windowedRope !== null && isWindowed(config, layer) ? 'windowed_rope' : 'rope';
}

/** Positions that a token sees in a layer, its own included. */
export function windowOf(config: ModelConfig, layer: number): number {
  const { slidingWindow } = config;
  return slidingWindow !== null && isWindowed(config, layer)
    ? slidingWindow
    : Number.POSITIVE_INFINITY;
}
