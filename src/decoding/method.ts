import { allOrNone } from '../engine/all-or-none.js';
import type { Engine } from '../engine/engine.js';
import type { Profile } from '../profile/schema.js';
import type { DraftMemory } from './draft-memory.js';
import { type CustomMethod, openCustom } from './drafters/custom.js';
import type { DraftSettings } from './drafters/kind.js';
import {
  DRAFTERS,
  type DrafterMethod,
  type DrafterName,
  drafterKind,
  openerOf,
} from './drafters/registry.js';

/** A way of decoding. All give the same tokens; they differ in time. */
export type Method = { readonly name: 'autoregressive' } | DrafterMethod | CustomMethod;

/** A method that the command line knows. */
export type ListedName = 'autoregressive' | DrafterName;
/** All of them. */
export const METHODS: readonly ListedName[] = [
  'autoregressive',
  ...DRAFTERS.map(({ name }) => name),
];

/** A method that a profile may name. */
export type MethodName = NonNullable<Profile['method']>;
/** Those of them that draft. */
export type DraftingName = Exclude<MethodName, 'autoregressive'>;

/** Whether a method drafts with a plan, and so needs a mask at least. */
export function needsMask(name: ListedName): boolean {
  return name !== 'autoregressive' && drafterKind(name).needsMask;
}

/** The method of a name, made of what there is for it. @param settings with a mask, where the method needs one. */
export function createMethod(name: ListedName, settings: DraftSettings): Method {
  return name === 'autoregressive' ? { name } : drafterKind(name).create(settings);
}

/** The most tokens that a draft of this method has; 0 for autoregressive decoding. */
export function longestDraft(method: Method): number {
  if (method.name === 'autoregressive') return 0;
  return method.name === 'custom' ? method.longest : drafterKind(method.name).longest(method);
}

/** A memory of nothing yet. */
export function methodMemory(method: Method): DraftMemory {
  return { taken: false, open: opener(method) };
}

function opener(method: Method): DraftMemory['open'] {
  if (method.name === 'autoregressive') return async () => null;
  if (method.name === 'custom') return (context) => openCustom(method, context);
  return openerOf(method);
}

/**
 * Loads the draft passes of some methods, all or none, which stay loaded from one generation to the next until the returned
 * function is called.
 */
export async function keepDrafts(
  engine: Engine,
  methods: readonly Method[],
): Promise<() => Promise<void>> {
  const graphs = methods.flatMap((method) =>
    method.name === 'autoregressive' || method.name === 'custom'
      ? []
      : (drafterKind(method.name).draftGraph(method, engine.model) ?? []),
  );
  const leases = await allOrNone(
    graphs.map((graph) => engine.draft(graph)),
    ({ release }) => release(),
  );
  return async () => {
    for (const { release } of leases) await release();
  };
}
