import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FileNames, Format } from './format.js';
import { gguf } from './gguf/format.js';
import { safetensors } from './safetensors/format.js';

/** Every format that can be read; a new one is a folder beside this module and a line here. */
export const formats: readonly Format[] = [safetensors, gguf];

/** The format of a path; what none recognises is taken for a folder in the Hugging Face layout, to be told what it lacks. */
export function formatOf(path: string): Format {
  return recognised(path) ?? safetensors;
}

/** Whether a path is a checkpoint of any format, by names. */
export function isCheckpoint(path: string): boolean {
  return recognised(path) !== undefined;
}

/** What a file of this name is, wherever it is: undefined where it is no checkpoint by itself. */
export function fileNamesOf(name: string): FileNames | undefined {
  return formats.find(({ file }) => file?.isCheckpoint(name))?.file ?? undefined;
}

/** Formats whose checkpoints are files, as in "GGUF files". */
export const FILE_FORMATS = formats
  .filter(({ file }) => file !== null)
  .map(({ name }) => name)
  .join(' or ');

/** The files of a folder that are checkpoints by themselves, and their formats; by name. */
export function checkpointFiles(
  directory: string,
): { readonly name: string; readonly format: Format }[] {
  return readdirSync(directory)
    .sort()
    .flatMap((name) => {
      const path = join(directory, name);
      const isFile = statSync(path, { throwIfNoEntry: false })?.isFile();
      const format = isFile ? recognised(path) : undefined;
      return format === undefined ? [] : [{ name, format }];
    });
}

function recognised(path: string): Format | undefined {
  return formats.find((format) => format.recognises(path));
}
