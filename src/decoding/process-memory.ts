import type { Engine } from '../engine/engine.js';
import { identityText } from '../identity.js';
import type { DraftMemory } from './draft-memory.js';
import { type Method, methodMemory } from './method.js';

const memories = new WeakMap<Engine, Map<string, DraftMemory>>();

/**
 * What a method has learned on an engine since the process started; it lives as long as the engine does. A drafter of the
 * caller's own remembers for itself.
 */
export function processMemory(engine: Engine, method: Method): DraftMemory {
  if (method.name === 'custom') return methodMemory(method);
  const ofEngine = memories.get(engine) ?? new Map<string, DraftMemory>();
  memories.set(engine, ofEngine);
  const key = identityText(method);
  const memory = ofEngine.get(key) ?? methodMemory(method);
  ofEngine.set(key, memory);
  return memory;
}
