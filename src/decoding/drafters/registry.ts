/** The ways of drafting, one line each: names, flags, labels and dispatch follow from it. */
import type { DraftContext, Drafter } from '../drafter.js';
import { cascade } from './cascade.js';
import type { DrafterKind } from './kind.js';
import { lookup } from './lookup.js';
import { skip } from './skip.js';

/** In the order in which help and tables list them. */
const KINDS = {
  skip,
  lookup,
  cascade,
} as const;

type Kinds = typeof KINDS;

export type DrafterName = keyof Kinds;

/** A method of one of the kinds: its name and its options. */
export type DrafterMethod = ReturnType<Kinds[DrafterName]['create']>;

/** A kind as those see it who take any. */
type AnyKind = DrafterKind<DrafterMethod, unknown>;

/** All kinds, in their order. */
export const DRAFTERS: readonly AnyKind[] = Object.values(KINDS);

/** The kind of that name. */
export function drafterKind(name: DrafterName): AnyKind {
  return KINDS[name];
}

/** Whether there is a kind of that name. */
export function isDrafterName(name: string): name is DrafterName {
  return Object.hasOwn(KINDS, name);
}

/** What opens a method's drafters, which all learn from one another. */
export function openerOf(method: DrafterMethod): (context: DraftContext) => Promise<Drafter> {
  const kind = drafterKind(method.name);
  const memory = kind.createMemory(method);
  return (context) => kind.open(method, memory, context);
}
