import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkWritable, discard, writeFileAtomic } from '../../files.js';
import { figureFiles } from '../figure-files.js';
import type { ReportInput } from './inputs.js';
import { renderReport } from './render.js';

/** Where a report goes. */
export interface ReportTarget {
  /** The page. */
  readonly output: string;
  /** Folder for every figure as SVG, and as PNG and PDF where the optional packages that draw them are installed. */
  readonly figures?: string | undefined;
  /** Whether these have their titles in them, which a paper has below. Default: yes. */
  readonly titles?: boolean | undefined;
  /** The page loads itself again after so many seconds; undefined: never. */
  readonly refreshSeconds?: number | undefined;
}

/**
 * Writes a report. Everything is made before the first file is written, the page last, and each file whole or not at all; where one
 * cannot be written, new ones go again.
 * @returns the figures' files.
 * @throws InputError when an input does not fit, or a file cannot be written.
 */
export async function writeReport(
  inputs: readonly ReportInput[],
  { output, figures: folder, titles = true, refreshSeconds }: ReportTarget,
): Promise<string[]> {
  checkWritable(output);
  const { html, figures } = renderReport(inputs, refreshSeconds);
  const drawn = folder === undefined ? [] : await figureFiles(figures, titles);
  const files = drawn.map(({ name, content }) => ({ path: join(folder!, name), content }));
  const added = files.filter(({ path }) => !existsSync(path));
  try {
    for (const { path, content } of files) writeFileAtomic(path, content);
    writeFileAtomic(output, html);
  } catch (error) {
    for (const { path } of added) discard(path);
    throw error;
  }
  return files.map(({ path }) => path);
}
