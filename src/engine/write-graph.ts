import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { discard, errorMessage, processIsAlive } from '../files.js';
import { bridgeGates } from '../graph/bridge.js';
import type { CompiledModel } from '../graph/compile.js';
import { fourBitProducts } from '../graph/four-bits.js';
import { withStates } from '../graph/hidden-states.js';
import { fuseResidualNorms } from '../graph/residual-norm.js';
import { singleToken } from '../graph/single-token.js';
import { specialise } from '../graph/specialise.js';
import { transformGraph } from '../graph/transform.js';
import { weightsInBranches } from '../graph/weights-in-branches.js';
import type { DraftGraph } from './draft-graph.js';

/** Tells this host's files from those of others. */
const thisHost = createHash('sha1').update(hostname()).digest('hex').slice(0, 8);

/**
 * Builds the graph of a draft and writes it beside its weights, see {@link writeGraph}.
 * @throws InputError when the folder cannot be written.
 */
export function writeDraft(model: CompiledModel, { mask, transforms }: DraftGraph): string {
  const changes = [
    specialise(mask),
    singleToken(mask),
    fourBitProducts,
    ...transforms.map(({ change }) => change),
    fuseResidualNorms,
  ];
  return writeGraph(model, transformGraph(readFileSync(model.path), model.config, changes));
}

/** Builds the graph without gates, with the hidden states before some sublayers as outputs, and writes it, see {@link writeGraph}. */
export function writeWatching(model: CompiledModel, sublayers: Iterable<number>): string {
  const changes = [withStates(sublayers)];
  return writeGraph(model, transformGraph(readFileSync(model.plainPath), model.config, changes));
}

/**
 * Builds the gated graph with gates for bridges and writes it beside its weights, see {@link writeGraph}.
 * @param ofDrafts whether with the weights that drafts have.
 */
export function writeGated(model: CompiledModel, ofDrafts: boolean): string {
  const changes = ofDrafts ? [fourBitProducts, bridgeGates] : [weightsInBranches, bridgeGates];
  return writeGraph(model, transformGraph(readFileSync(model.path), model.config, changes));
}

/**
 * Writes a graph over a model's weights beside them, where the runtime looks for them; it can go as soon as it is loaded. What
 * dead processes of this host left is removed: of another's, with which the folder may be shared, nobody here can tell.
 * @returns its path.
 * @throws InputError when the folder cannot be written.
 */
export function writeGraph(model: CompiledModel, graph: Uint8Array): string {
  const folder = dirname(model.path);
  const unique = randomBytes(4).toString('hex');
  const path = join(folder, `draft.${thisHost}.${process.pid}.${unique}.onnx`);
  try {
    for (const name of readdirSync(folder)) {
      const [, host, owner] = /^draft\.([0-9a-f]{8})\.(\d+)\.[0-9a-f]{8}\.onnx$/.exec(name) ?? [];
      if (host === thisHost && !processIsAlive(Number(owner)))
        rmSync(join(folder, name), { force: true });
    }
    writeFileSync(path, graph);
    return path;
  } catch (error) {
    discard(path);
    throw new InputError(
      `Cannot write a draft's graph beside its weights (${errorMessage(error)}); XDG_CACHE_HOME names another cache.`,
    );
  }
}
