/**
 * A process of the audit with sessions of its own: it compares the cases that it is told, and sends each one's records.
 * `audit.ts` starts it with the folder of the miniatures, the number of threads and the most new tokens of an output.
 */
import { Engine } from '../../src/engine/engine.js';
import { describeEnvironment } from '../../src/measurement/environment.js';
import { runCase } from './audit-case.js';
import { loadAuditModels, modelOfStretch } from './audit-models.js';
import { AUDIT_SEED, planCase, STRETCH_CASES } from './audit-plan.js';

const [folder = '', threads, longest] = process.argv.slice(2);
const { models, datasets } = await loadAuditModels(folder);
/** The last session, and what it is of. */
let loaded: { readonly key: string; readonly engine: Engine } | undefined;

process.on('disconnect', () => process.exit());
process.on('message', async (index) => {
  const { model, precision } = modelOfStretch(models, Math.floor(Number(index) / STRETCH_CASES));
  const plan = planCase(AUDIT_SEED, Number(index), model.planned, Number(longest));
  const compiled = model.compiled[precision];
  const key = `${compiled.key} ${plan.ignoreEos}`;
  if (loaded?.key !== key) {
    await loaded?.engine.close();
    const eosTokenIds = plan.ignoreEos ? [] : compiled.config.eosTokenIds;
    const config = { ...compiled.config, eosTokenIds };
    const engine = await Engine.load({ ...compiled, config }, { threads: Number(threads) });
    loaded = { key, engine };
  }
  process.send?.({ records: await runCase(loaded.engine, model.name, plan) });
});

const { cpu, onnxruntime, sspec } = describeEnvironment({ threads: 0, precision: '' });
const identities = models.map(({ name, planned, compiled }) => {
  const { weightsHash: weights_hash } = compiled.int8;
  return [name, { weights_hash, context_length: planned.contextLength }];
});
// What must be the same for one count to be made of several runs.
const context = { models: Object.fromEntries(identities), datasets, cpu, onnxruntime, sspec };
process.send?.({ context });
