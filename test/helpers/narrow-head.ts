import { type DraftGraph, transformed } from '../../src/engine/draft-graph.js';
import { elementType, Initializers, Nodes, valueInfo } from '../../src/graph/builder.js';

/**
 * A draft whose logits are only some columns of another's, as of a head over fewer words.
 * @param columns of the other's logits, ascending.
 */
export function narrowHead(graph: DraftGraph, columns: readonly number[]): DraftGraph {
  const tokens = Int32Array.from(columns, (column) => graph.headTokens?.[column] ?? column);
  const key = `columns ${columns}`;
  return transformed(
    graph,
    {
      key,
      change(model) {
        const nodes = new Nodes(`${key}.`);
        const shared = new Initializers();
        const [logits] = model.output;
        const picked = nodes.add('Gather', 'picked', [logits!.name, shared.int64(key, columns)], {
          axis: { int: 1 },
        });
        model.node.push(...nodes.list);
        model.initializer.push(...shared.list);
        model.output[0] = valueInfo(picked, elementType.float, ['wanted_rows', columns.length]);
      },
    },
    tokens,
  );
}
