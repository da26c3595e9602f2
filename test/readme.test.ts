import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { complete } from '../src/decoding/generate.js';
import { loadModel } from '../src/engine/load-model.js';
import { isBuilt, root } from './helpers/built.js';
import { temporaryDirectory } from './helpers/temporary.js';
import { exampleProfile } from './profile/example.js';

/** The first code block under a heading of README.md. */
function codeUnder(heading: string): string {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const section = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0];
  const code = section && /```(?:js|ts)\n(.*?)```/s.exec(section)?.[1];
  if (!code) throw new Error(`README.md has no code under "${heading}".`);
  return code;
}

// It imports the package by its name, as users do: "npm run build" first.
describe.skipIf(!isBuilt)(
  'README.md, "As a library" (skipped unless dist is newer than the sources)',
  () => {
    it('is short, runs as it stands, and prints what the model says', async () => {
      const code = codeUnder('As a library');
      expect(code.trim().split('\n').length).toBeLessThanOrEqual(12);
      const directory = temporaryDirectory();
      mkdirSync(join(directory, 'node_modules'));
      symlinkSync(root, join(directory, 'node_modules', 'sspec'), 'junction');
      writeFileSync(join(directory, 'example.mjs'), code);

      const { engine, tokenizer } = await loadModel('demo');
      const { layers } = engine.config;
      const { weightsHash: weights_hash } = engine.model;
      const model = { ...exampleProfile.model, layers, weights_hash };
      writeFileSync(
        join(directory, 'profile.json'),
        JSON.stringify({ ...exampleProfile, model, pareto: [] }),
      );
      const promptText = /encodePrompt\('(.*)'\)/.exec(code)?.[1];
      const prompt = tokenizer!.encodePrompt(promptText!);
      const { text } = await complete(engine, { prompt, tokenizer });
      await engine.close();

      const ran = spawnSync(process.execPath, ['example.mjs'], {
        cwd: directory,
        encoding: 'utf8',
      });
      expect(ran.stderr).toBe('');
      expect(ran.status).toBe(0);
      expect(ran.stdout).toBe(text);
      expect(text.length).toBeGreaterThan(100);
    });
  },
);
