/**
 * The k-th largest of `logits[offset .. offset + length)`, ties counted one by one, among those of at least `least`;
 * -Infinity when fewer than k are. One pass with a min-heap of k values: most logits cost one comparison.
 * @param heap workspace of k values; holds the k largest afterwards (only when there were k), the k-th first
 */
export function kthLargest(
  logits: Float32Array,
  offset: number,
  length: number,
  least: number,
  heap: Float32Array,
): number {
  const k = heap.length;
  const end = offset + length;
  let filled = 0;
  let i = offset;
  for (; i < end && filled < k; i++) {
    if (logits[i] >= least) heap[filled++] = logits[i];
  }
  if (filled < k) return -Infinity;
  for (let parent = (k >> 1) - 1; parent >= 0; parent--) sink(heap, parent, heap[parent]);
  for (; i < end; i++) {
    if (logits[i] > heap[0]) sink(heap, 0, logits[i]);
  }
  return heap[0];
}

/** How many values equal to the k-th largest belong to the k: the rest of the heap is larger. */
export function tiesAtCut(heap: Float32Array): number {
  const kth = heap[0];
  let ties = 0;
  for (const value of heap) if (value === kth) ties++;
  return ties;
}

/** Places `value` at or below `hole`, moving smaller children up. */
function sink(heap: Float32Array, hole: number, value: number): void {
  const count = heap.length;
  for (let child = 2 * hole + 1; child < count; child = 2 * hole + 1) {
    if (child + 1 < count && heap[child + 1] < heap[child]) child++;
    if (heap[child] >= value) break;
    heap[hole] = heap[child];
    hole = child;
  }
  heap[hole] = value;
}
