import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import WholeHelp from '../../src/cli/help.js';
import { WELCOME } from '../../src/cli/welcome.js';
import { textWidth } from '../../src/reporting/width.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
let config: Config;
beforeAll(async () => {
  config = await Config.load(root);
});
afterEach(() => vi.restoreAllMocks());

/** What `sspec ... --help` prints in a terminal of so many columns. */
async function helpOf(argv: string[], maxWidth: number): Promise<string> {
  let text = '';
  vi.spyOn(console, 'log').mockImplementation((line = '') => {
    text += `${line}\n`;
  });
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
    text += line;
    return true;
  });
  await new WholeHelp(config, { maxWidth }).showHelp([...argv, '--help']);
  vi.restoreAllMocks();
  return text;
}

/** Lines without the examples, which are to be copied. */
const prose = (help: string) => help.replace(/\nEXAMPLES\n.*?(?=\n\S|$)/s, '').split('\n');

describe('--help', () => {
  it.each([80, 120])('of every command has no line wider than %i columns', async (width) => {
    expect(config.commandIDs.length).toBeGreaterThan(20);
    const commands = [[], ...config.commandIDs.map((id) => id.split(':'))];
    for (const argv of commands) {
      const help = await helpOf(argv, width);
      expect(help).toContain('USAGE');
      for (const line of prose(help)) expect(textWidth(line), line).toBeLessThanOrEqual(width);
    }
  });

  it('keeps flags whole in the usage and says the summary once', async () => {
    const help = await helpOf(['eval'], 80);
    const usage = /USAGE\n(.*?)\n\n/s.exec(help)![1]!;
    expect(usage.split('\n').length).toBeGreaterThan(3);
    for (const line of usage.split('\n').slice(1)) expect(line).toMatch(/^ {4}\[.*\]$/);
    expect(usage).not.toMatch(/ \]|\| \]/);
    expect(help.match(/Measure profiles and baselines/g)).toHaveLength(1);
  });

  it('has descriptions without line breaks inside of sentences', () => {
    for (const { id, description = '' } of config.commands)
      expect(description, id).not.toMatch(/[^.:\n]\n\S/);
  });
});

it('what sspec alone says fits a terminal of 80 columns', () => {
  for (const line of WELCOME.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(80);
});
