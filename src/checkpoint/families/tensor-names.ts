import { type LayerPart, layerParts, type TensorNames } from './family.js';

/** What a tensor is, whatever it is called. */
export type TensorRole =
  | { readonly part: 'embedding' | 'finalNorm' | 'head'; readonly kind: 'weight' }
  | { readonly part: LayerPart; readonly layer: number; readonly kind: 'weight' | 'bias' };

/** The name of a tensor in a naming; undefined for a part that it has no name for. */
export function tensorName(names: TensorNames, role: TensorRole): string | undefined {
  if (!('layer' in role)) return `${names[role.part]}.${role.kind}`;
  const part = names.parts[role.part];
  if (part === undefined) return undefined;
  return `${names.layer.replace('*', String(role.layer))}${part}.${role.kind}`;
}

/** Parts of a layer that are one tensor with this one, itself included, in the order of their rows. */
export function fusedParts(names: TensorNames, part: LayerPart): LayerPart[] {
  return layerParts.filter((other) => names.parts[other] === names.parts[part]);
}

/**
 * Gives what a tensor is by its name in a naming, its first part where it has several; undefined for one that no model of the
 * families has.
 */
export function roleFinder(names: TensorNames): (name: string) => TensorRole | undefined {
  const outer = new Map<string, TensorRole>(
    (['embedding', 'finalNorm', 'head'] as const).map((part) => [
      `${names[part]}.weight`,
      { part, kind: 'weight' },
    ]),
  );
  const parts = new Map<string, LayerPart>();
  for (const part of layerParts) {
    const name = names.parts[part];
    if (name !== undefined && !parts.has(name)) parts.set(name, part);
  }
  const [before = '', after = ''] = names.layer
    .split('*')
    .map((text) => text.replaceAll('.', '\\.'));
  const pattern = new RegExp(`^${before}(\\d+)${after}(.+)\\.(weight|bias)$`);
  return (name) => {
    const [, layer, stored = '', suffix] = pattern.exec(name) ?? [];
    const part = parts.get(stored);
    if (part === undefined) return outer.get(name);
    return { part, layer: Number(layer), kind: suffix === 'bias' ? 'bias' : 'weight' };
  };
}
