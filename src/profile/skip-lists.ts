/** Skip lists as papers publish them: the layers whose attention and whose MLP are skipped, and nothing else. */
import { z } from 'zod';
import { InputError } from '../errors.js';
import { parseFields, readJsonFile } from '../json-file.js';
import type { SkipMask } from './mask.js';

const mostBytes = 1 << 20;

const layers = z.array(z.int().min(0).max(9_999)).max(10_000);
const listsSchema = z.object({ attention: layers, mlp: layers });
const manySchema = z.record(z.string(), z.unknown());

/**
 * Reads a JSON file of lists, `{"attention": [...], "mlp": [...]}` (Draft & Verify, Zhang et al. 2023), or one of several such
 * under names, `FILE#NAME`.
 * @param layers of the model; every layer in the lists is below it.
 * @throws InputError when it cannot be read, has no such lists, or names a layer that is not there.
 */
export function readSkipLists(place: string, layers: number): SkipMask {
  const mark = place.lastIndexOf('#');
  const file = mark < 0 ? place : place.slice(0, mark);
  const name = mark < 0 ? undefined : place.slice(mark + 1);
  const json = readJsonFile(file, mostBytes);
  if (json === undefined) throw new InputError(`There is no file ${file}.`);
  const lists = parseFields(
    listsSchema,
    name === undefined ? json : named(json, file, name),
    place,
  );
  return {
    attention: checked(lists.attention, layers, `${place}: field "attention"`),
    mlp: checked(lists.mlp, layers, `${place}: field "mlp"`),
  };
}

function named(json: unknown, file: string, name: string): unknown {
  const many = parseFields(manySchema, json, file);
  if (!Object.hasOwn(many, name))
    throw new InputError(
      `${file} has no lists "${name}"; it has ${Object.keys(many).slice(0, 10).join(', ')}.`,
    );
  return many[name];
}

function checked(list: readonly number[], layers: number, what: string): number[] {
  const outside = list.find((layer) => layer >= layers);
  if (outside !== undefined)
    throw new InputError(
      `${what} names layer ${outside}, but the model's ${layers} layers are numbered 0 to ${layers - 1}.`,
    );
  return [...new Set(list)].sort((a, b) => a - b);
}
