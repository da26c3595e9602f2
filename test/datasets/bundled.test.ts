import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../src/checkpoint/tokenizer.js';
import { BUNDLED, CHAT, loadDataset } from '../../src/datasets/load.js';

const shared = new URL('../../../shared/', import.meta.url).pathname;
const model = `${shared}models/starter-10m`;
const corpora = ['stories', 'tldr', 'code', 'math'].map((name) => `${shared}corpus/${name}.txt`);

/** Windows of the corpus that may also be in a prompt are shorter than this, in characters. */
const WINDOW = 40;
const GRAM = 16;
/** What every document of a kind has; such text is no copy. */
const FRAMES =
  /> More information: <https:\/\/(?:manned\.org\/|docs\.)?|\s*(?:from [\w.]+ import .*|import \w+)\s*(?:@dataclass\s+)?(?:class|def)?|\s*def __init__\(self\):\s*(?:self\.)?(?:head = None\s*self\.)?/g;

const all = BUNDLED.flatMap((kind) =>
  (['calibration', 'heldout'] as const).flatMap((split) => loadDataset(kind, { split }).prompts),
);

describe('bundled prompts', () => {
  it.each(BUNDLED)('%s has at least 16 for calibration and 48 held out', (kind) => {
    const calibration = loadDataset(kind, { split: 'calibration' }).prompts;
    const heldout = loadDataset(kind).prompts;
    expect(calibration.length).toBeGreaterThanOrEqual(16);
    expect(heldout).toHaveLength(48);
    for (const { id } of calibration) expect(id).toMatch(new RegExp(`^${kind}-c\\d\\d$`));
    for (const { id } of heldout) expect(id).toMatch(new RegExp(`^${kind}-h\\d\\d$`));
  });

  it('are all different, in id and in words', () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const words = all.map(({ prompt }) => new Set(prompt.toLowerCase().match(/[a-z]{3,}/g)));
    for (let i = 0; i < all.length; i++)
      for (let j = 0; j < i; j++) {
        const common = [...words[i]].filter((word) => words[j].has(word)).length;
        const similarity = common / (words[i].size + words[j].size - common);
        expect(similarity, `${all[i].id} and ${all[j].id}`).toBeLessThan(0.6);
      }
  });

  it('have the surface form of their kind', () => {
    for (const { dataset, prompt, id } of all) {
      if (dataset === 'help') expect(prompt, id).toMatch(/^# [\w -]+\n\n(?:> .+\n)+\n- .+:\n$/);
      else expect(prompt, id).toBe(prompt.trim());
      if (dataset === 'stories') expect(prompt, id).toBe(prompt.toLowerCase());
      if (dataset === 'math') expect(prompt, id).toMatch(/^Question: .+[?]\nAnswer:$/);
    }
  });

  it.skipIf(!existsSync(model))('have 15 to 80 tokens (skipped without ../shared/models)', () => {
    const tokenizer = loadTokenizer(model);
    expect(tokenizer).not.toBeNull();
    for (const { id, prompt } of all) {
      const tokens = tokenizer?.encode(prompt).length ?? 0;
      expect(tokens, id).toBeGreaterThanOrEqual(15);
      expect(tokens, id).toBeLessThanOrEqual(80);
    }
  });

  it.skipIf(!corpora.every(existsSync))(
    'repeat no 40 characters of the training text (skipped without ../shared/corpus)',
    () => {
      const pieces = all.flatMap(({ id, prompt }) =>
        prompt.split(FRAMES).map((text) => ({ id, text })),
      );
      expect(copies(pieces, corpora)).toEqual([]);
    },
  );
});

describe('bundled instructions', () => {
  const splits = (['calibration', 'heldout'] as const).map((split) => loadDataset(CHAT, { split }));

  it('are as many of every category in each half, so that any beginning is balanced', () => {
    // Those behind the first of the calibration half are what drafts are fitted to.
    expect(splits.map(({ prompts }) => prompts.length)).toEqual([120, 48]);
    for (const { prompts } of splits) {
      const categories = new Set(prompts.map(({ category }) => category));
      expect(categories.size).toBe(8);
      for (let at = 0; at < prompts.length; at += 8)
        expect(new Set(prompts.slice(at, at + 8).map(({ category }) => category))).toEqual(
          categories,
        );
      for (const { prompt, turns } of prompts) expect(turns).toEqual([prompt]);
    }
  });

  it('share no eight words in a row between the halves', () => {
    const grams = splits.map(({ prompts }) => {
      const all = prompts.flatMap(({ prompt }) => {
        const words = prompt.toLowerCase().match(/[\w']+/g) ?? [];
        return words.map((_, i) => words.slice(i, i + 8)).filter(({ length }) => length === 8);
      });
      return new Set(all.map((gram) => gram.join(' ')));
    });
    expect([...grams[0]!].filter((gram) => grams[1]!.has(gram))).toEqual([]);
  });
});

/**
 * Pieces with WINDOW characters in a row that occur in one of the files. Any such run holds a gram that starts at a
 * multiple of WINDOW - GRAM + 1 in the file, so only those are looked up, and the hits grown in both directions.
 */
function copies(pieces: { id: string; text: string }[], files: string[]): string[] {
  const places = new Map<string, { id: string; text: string; at: number }[]>();
  for (const { id, text } of pieces)
    for (let at = 0; at + GRAM <= text.length; at++) {
      const gram = text.slice(at, at + GRAM);
      places.set(gram, [...(places.get(gram) ?? []), { id, text, at }]);
    }
  const found = new Set<string>();
  for (const path of files) {
    const corpus = readFileSync(path, 'utf8');
    for (let i = 0; i + GRAM <= corpus.length; i += WINDOW - GRAM + 1)
      for (const { id, text, at } of places.get(corpus.slice(i, i + GRAM)) ?? []) {
        let before = 0;
        while (before < at && before < i && text[at - before - 1] === corpus[i - before - 1])
          before++;
        let after = GRAM;
        while (at + after < text.length && text[at + after] === corpus[i + after]) after++;
        if (before + after >= WINDOW) found.add(`${id}: ${text.slice(at - before, at + after)}`);
      }
  }
  return [...found];
}
