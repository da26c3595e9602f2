import type { ModelConfig } from '../../src/checkpoint/model-config.js';
import { BaseCommand } from '../../src/cli/base-command.js';
import { errorMessage } from '../../src/files.js';
import type { Precision } from '../../src/graph/quantise.js';

interface ListedModel {
  /** What `--model` takes. */
  readonly reference: string;
  readonly directory: string;
  readonly bytes: number;
  /** null when the model cannot be used; `problem` says why. */
  readonly architecture: ModelConfig['modelType'] | null;
  readonly layers: number | null;
  readonly problem: string | null;
}

/** What `--json` prints. */
interface ModelListDocument {
  readonly models: readonly ListedModel[];
  readonly compiled: readonly {
    readonly key: string;
    /** What it was loaded as; empty where that is not known. */
    readonly references: readonly string[];
    readonly precision: Precision | null;
    readonly directory: string;
    readonly bytes: number;
    readonly created: string;
  }[];
}

export default class ModelList extends BaseCommand {
  static override readonly summary =
    'List the models that are here: bundled, in the Hugging Face cache, and compiled.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ];

  async run(): Promise<ModelListDocument> {
    await this.parse(ModelList);
    const { resolveModel } = await import('../../src/checkpoint/resolve.js');
    const { folderBytes, listCachedModels } = await import('../../src/checkpoint/hub-cache.js');
    const { readModelConfig } = await import('../../src/checkpoint/open-checkpoint.js');
    const { listCompiled } = await import('../../src/graph/compiled-list.js');

    const bundled = await resolveModel('demo');
    const models = [
      { reference: 'demo', directory: bundled, bytes: folderBytes(bundled) },
      ...listCachedModels(),
    ].map((model): ListedModel => {
      try {
        const { modelType: architecture, layers } = readModelConfig(model.directory);
        return { ...model, architecture, layers, problem: null };
      } catch (error) {
        return { ...model, architecture: null, layers: null, problem: errorMessage(error) };
      }
    });
    const compiled = listCompiled().map(({ created, ...rest }) => ({
      ...rest,
      created: created.toISOString(),
    }));
    const document = { models, compiled };
    if (!this.jsonEnabled()) await this.show(document);
    return document;
  }

  private async show({ models, compiled }: ModelListDocument): Promise<void> {
    const { ANY_LENGTH } = await import('../../src/reporting/columns.js');
    const { fittedTable } = await import('../../src/reporting/fitted-table.js');
    const { formatBytes } = await import('../../src/reporting/format.js');
    this.print(
      fittedTable(
        [
          { key: 'model', whole: ANY_LENGTH },
          { key: 'architecture' },
          { key: 'layers' },
          { key: 'size', align: 'right' },
        ],
        models.map(({ reference, architecture, layers, bytes }) => ({
          model: reference,
          architecture: architecture ?? 'not supported',
          layers,
          size: formatBytes(bytes),
        })),
      ),
    );
    if (compiled.length === 0) return;
    const total = formatBytes(compiled.reduce((sum, { bytes }) => sum + bytes, 0));
    this.print(`\nCompiled (${total}; sspec model rm removes, what is needed is made again):`);
    this.print(
      fittedTable(
        [
          { key: 'model', whole: ANY_LENGTH },
          { key: 'precision' },
          { key: 'compiled', spare: true },
          { key: 'size', align: 'right' },
        ],
        compiled.map(({ key, references, precision, created, bytes }) => ({
          model: references.length === 0 ? key : references.join(', '),
          precision,
          compiled: created.slice(0, 10),
          size: formatBytes(bytes),
        })),
      ),
    );
  }
}
