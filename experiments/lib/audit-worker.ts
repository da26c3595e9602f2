/**
 * A process of the audit with sessions of its own: it compares the stretches that it is given, and sends each record as it is
 * made. `audit.ts` starts it with the folder of the miniatures and the number of threads.
 */
import { Engine } from '../../src/engine/engine.js';
import { selfCheck } from '../../src/engine/self-check.js';
import type { CompiledModel } from '../../src/graph/compile.js';
import { describeEnvironment } from '../../src/measurement/environment.js';
import { type AuditedModel, runCase } from './audit-case.js';
import type { AuditHeader } from './audit-journal.js';
import { type AuditModels, loadAuditModels, modelOfStretch } from './audit-models.js';
import { planCase } from './audit-plan.js';
import {
  AUDIT_SEED,
  type Order,
  orderSchema,
  type Report,
  STRETCH_CASES,
} from './audit-protocol.js';

/** Compares stretches, on one session for as long as model and precision stay the same. */
class AuditWorker {
  readonly #models: AuditModels;
  readonly #threads: number;
  #loaded: (AuditedModel & { readonly compiled: CompiledModel }) | undefined;

  constructor(models: AuditModels, threads: number) {
    this.#models = models;
    this.#threads = threads;
  }

  async *run({ stretch, done }: Order) {
    const { model, precision } = modelOfStretch(this.#models, stretch);
    const known = new Set(done);
    for (let i = 0; i < STRETCH_CASES; i++) {
      const plan = planCase(AUDIT_SEED, stretch * STRETCH_CASES + i, model);
      if (plan.units.every(({ id }) => known.has(id))) continue;
      yield* runCase(await this.#session(model.name, model.compiled[precision]), plan, known);
    }
  }

  async #session(name: string, compiled: CompiledModel): Promise<AuditedModel> {
    if (this.#loaded?.compiled !== compiled) {
      await this.#loaded?.engine.close();
      const engine = await Engine.load(compiled, { threads: this.#threads });
      const cache = engine.createCache(engine.config.contextLength);
      const { exact } = await selfCheck(engine);
      this.#loaded = { compiled, name, engine, cache, exact };
    }
    return this.#loaded;
  }
}

function headerOf(models: AuditModels): AuditHeader {
  const { cpu, onnxruntime, sspec } = describeEnvironment({ threads: 0, precision: '' });
  const identities = [models.bundled, ...models.miniatures].map((model) => {
    const { weightsHash: weights_hash } = model.compiled.int8;
    return [model.name, { weights_hash, context_length: model.contextLength }];
  });
  return {
    ...{ journal: 'sspec-audit', version: 2, seed: AUDIT_SEED },
    models: Object.fromEntries(identities),
    datasets: { ...models.datasets },
    ...{ cpu, onnxruntime, sspec },
  };
}

/** Answers orders until the channel closes. */
async function serve(folder: string, threads: number): Promise<void> {
  const send = (report: Report) => process.send?.(report);
  const models = await loadAuditModels(folder);
  const worker = new AuditWorker(models, threads);
  process.on('disconnect', () => process.exit());
  process.on('message', async (message) => {
    for await (const record of worker.run(orderSchema.parse(message)))
      send({ kind: 'record', record });
    send({ kind: 'finished' });
  });
  send({ kind: 'ready', header: headerOf(models) });
}

const [folder, threads] = process.argv.slice(2);
if (folder === undefined || threads === undefined)
  throw new TypeError('experiments/audit.ts starts this with a folder and a number of threads');
await serve(folder, Number(threads));
