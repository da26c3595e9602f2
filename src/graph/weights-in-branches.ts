import type { GraphChange } from './transform.js';

/**
 * Gives the branch of every gate the weights of its own products of integers. The runtime makes weights unsigned (engine/session.ts)
 * that it finds in the graph of the product itself. Those of the graph around it would stay signed, and on x86 without VNNI sums of their
 * products saturate.
 */
export const weightsInBranches: GraphChange = (graph) => {
  const tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const moved = new Set<string>();
  for (const { attribute } of graph.node)
    for (const { g: branch } of attribute)
      for (const { opType, input } of branch?.node ?? []) {
        const weight = opType === 'MatMulIntegerToFloat' ? tensors.get(input[1]!) : undefined;
        if (!weight) continue;
        branch!.initializer.push(weight);
        moved.add(weight.name);
      }
  graph.initializer = graph.initializer.filter(({ name }) => !moved.has(name));
};
