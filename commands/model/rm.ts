import { rmSync } from 'node:fs';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../src/cli/base-command.js';
import { InputError } from '../../src/errors.js';
import { errorMessage } from '../../src/files.js';
import type { StoredCompilation } from '../../src/graph/compiled-list.js';
import type { Removal } from '../../src/hub/remove.js';

/** What `--json` prints. */
interface ModelRemovalDocument {
  readonly model: string;
  /** Keys of the compiled copies that are gone; none where the answer was no. */
  readonly removed: readonly string[];
  /** Whether the download is gone. */
  readonly removed_download: boolean;
  readonly freed_bytes: number;
}

export default class ModelRemove extends BaseCommand {
  static override readonly summary = "Remove a model's compiled copies, and its download.";
  static override readonly description =
    'Compiled copies are made again when the model is used next. The download, with --download, lies in a cache that other tools use, too; files that another revision has stay.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> org/name',
    '<%= config.bin %> <%= command.id %> org/name --download --yes',
  ];
  static override readonly args = {
    ref: Args.string({
      required: true,
      description: 'What --model took, or a name that sspec model list has.',
    }),
  };
  static override readonly flags = {
    download: Flags.boolean({ summary: 'Also what was downloaded from the Hub.' }),
    yes: Flags.boolean({
      char: 'y',
      summary: 'Do not ask; needed where there is no terminal to ask on.',
    }),
  };

  async run(): Promise<ModelRemovalDocument> {
    const { args, flags } = await this.parse(ModelRemove);
    const { canonicalReference } = await import('../../src/checkpoint/resolve.js');
    const { listCompiled } = await import('../../src/graph/compiled-list.js');
    const { formatBytes } = await import('../../src/reporting/format.js');
    const model = await canonicalReference(args.ref);
    const copies = listCompiled().filter(
      ({ key, references }) => references.includes(model) || key === model,
    );
    const download = flags.download ? await plannedDownload(model) : null;
    if (copies.length === 0 && download === null)
      throw new InputError(
        `There is no compiled copy of "${model}"${flags.download ? ' and no download' : ''}: sspec model list has what there is.`,
      );
    const bytes =
      copies.reduce((sum, copy) => sum + copy.bytes, 0) + (download === null ? 0 : download.bytes);
    const question = `Remove ${describe(model, copies, download !== null)} (${formatBytes(bytes)})?`;
    if (!flags.yes && !(await mayRemove(question))) {
      this.print('Nothing was removed.');
      return { model, removed: [], removed_download: false, freed_bytes: 0 };
    }
    for (const { directory } of copies) removeFolder(directory);
    if (download !== null) (await import('../../src/hub/remove.js')).remove(download);
    this.print(
      `Removed ${describe(model, copies, download !== null)}: ${formatBytes(bytes)} are free.`,
    );
    return {
      model,
      removed: copies.map(({ key }) => key),
      removed_download: download !== null,
      freed_bytes: bytes,
    };
  }
}

async function plannedDownload(model: string): Promise<Removal | null> {
  const { parseHubReference } = await import('../../src/checkpoint/hub-reference.js');
  const { planRemoval } = await import('../../src/hub/remove.js');
  const hub = parseHubReference(model);
  if (hub === null)
    throw new InputError(`"${model}" was not downloaded by sspec: leave --download out.`);
  return planRemoval(hub);
}

/** What goes, also under which other names. */
function describe(
  model: string,
  copies: readonly StoredCompilation[],
  withDownload: boolean,
): string {
  const others = new Set(copies.flatMap(({ references }) => references));
  others.delete(model);
  const also = others.size === 0 ? '' : `, which are also those of ${[...others].join(', ')}`;
  const count = copies.length === 1 ? 'the compiled copy' : `${copies.length} compiled copies`;
  const parts = [
    ...(copies.length === 0 ? [] : [`${count} of ${model}${also}`]),
    ...(withDownload ? [copies.length === 0 ? `the download of ${model}` : 'its download'] : []),
  ];
  return parts.join(' and ');
}

async function mayRemove(question: string): Promise<boolean> {
  const { canAsk, confirm } = await import('../../src/cli/confirm.js');
  if (!canAsk())
    throw new InputError('There is no terminal to ask on: give --yes to remove models.');
  return confirm(question);
}

function removeFolder(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    throw new InputError(`Cannot remove ${directory}: ${errorMessage(error)}`);
  }
}
