import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  checkpointFiles,
  formatOf,
  formats,
  isCheckpoint,
} from '../../../src/checkpoint/formats/index.js';
import { readModelConfig } from '../../../src/checkpoint/open-checkpoint.js';
import { writeGgufMiniature } from '../../helpers/gguf-miniature.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { TINY_CONFIG, writeFolder } from '../fixtures.js';

describe('the formats', () => {
  it('are told by the names of files alone', () => {
    const folder = writeFolder(temporaryDirectory(), { 'config.json': TINY_CONFIG });
    expect(formatOf(folder).name).toBe('safetensors');
    expect(formatOf('/nowhere/MODEL.GGUF').name).toBe('GGUF');
    expect(isCheckpoint('/nowhere/model.bin')).toBe(false);
    expect(isCheckpoint(temporaryDirectory())).toBe(false);
  });

  it('a folder is not a file by its name, and one that nothing is known of is a folder of safetensors', () => {
    const folder = join(temporaryDirectory(), 'model.gguf');
    mkdirSync(folder);
    expect(isCheckpoint(folder)).toBe(false);
    expect(formatOf(folder).name).toBe('safetensors');
  });

  it('of the entries of a folder only files are checkpoints by themselves', () => {
    const folder = temporaryDirectory();
    writeFolder(join(folder, 'inner'), { 'config.json': TINY_CONFIG });
    mkdirSync(join(folder, 'a.gguf'));
    writeFileSync(join(folder, 'notes.txt'), '');
    writeFileSync(join(folder, 'b.gguf'), '');
    expect(checkpointFiles(folder).map(({ name }) => name)).toEqual(['b.gguf']);
  });

  it('each recognises one and the same path alone', () => {
    const folder = writeFolder(temporaryDirectory(), { 'config.json': TINY_CONFIG });
    for (const path of [folder, join(folder, 'x.gguf')])
      expect(formats.filter((format) => format.recognises(path))).toHaveLength(1);
  });

  it('read a configuration without weights', () => {
    const folder = writeFolder(temporaryDirectory(), { 'config.json': TINY_CONFIG });
    expect(readModelConfig(folder).layers).toBe(1);
    const file = writeGgufMiniature({ layers: 3, vocabSize: 32 }, () => 'F32');
    expect(readModelConfig(file)).toMatchObject({ modelType: 'llama', layers: 3, vocabSize: 32 });
  });
});
