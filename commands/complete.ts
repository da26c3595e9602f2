import { BaseCommand } from '../src/cli/base-command.js';

export default class Complete extends BaseCommand {
  static override readonly hidden = true;
  static override readonly strict = false;
  static override readonly summary = 'Print what may stand in the last of some words.';
  static override readonly description =
    'Shells call it: a line for each word, then :files or :dirs where the name of one may stand there.';

  async run(): Promise<readonly string[]> {
    const { completionOf } = await import('../src/cli/completion/complete.js');
    const { namesOf } = await import('../src/cli/completion/names.js');
    const { storageFlag } = await import('../src/cli/storage-flag.js');
    const typed = this.argv.slice(this.argv.indexOf('--') + 1);
    const { word, before, place } = completionOf(typed, this.config.commands);
    const storage =
      process.env[storageFlag.storage.env ?? ''] || String(storageFlag.storage.default);
    const names = place.names ? await namesOf(place.names, storage) : [];
    const found = [...place.values, ...names]
      .filter((value) => value.startsWith(word))
      .map((value) => before + value);
    const lines = place.files ? [...found, `:${place.files}`] : found;
    if (lines.length > 0) this.print(lines.join('\n'));
    return lines;
  }
}
