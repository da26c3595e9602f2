import { type LayerPart, layerParts, type TensorNames } from './family.js';

/** What a tensor is, whatever it is called. */
export type TensorRole =
  | { readonly part: 'embedding' | 'finalNorm' | 'head'; readonly kind: 'weight' }
  | { readonly part: LayerPart; readonly layer: number; readonly kind: 'weight' | 'bias' };

/** The name of a tensor in a naming. */
export function tensorName(names: TensorNames, role: TensorRole): string {
  if (!('layer' in role)) return `${names[role.part]}.${role.kind}`;
  return `${names.layer.replace('*', String(role.layer))}${names.parts[role.part]}.${role.kind}`;
}

/** Gives what a tensor is by its name in a naming; undefined for one that no model of the families has. */
export function roleFinder(names: TensorNames): (name: string) => TensorRole | undefined {
  const outer = new Map<string, TensorRole>(
    (['embedding', 'finalNorm', 'head'] as const).map((part) => [
      `${names[part]}.weight`,
      { part, kind: 'weight' },
    ]),
  );
  const parts = new Map(layerParts.map((part): [string, LayerPart] => [names.parts[part], part]));
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
