/**
 * The last index that top-p (nucleus) keeps when tokens are taken from the most to the least probable, ties in index
 * order, until their mass reaches `topP * total`; the one that crosses is kept.
 *
 * Only a few tokens ever matter: those lighter than (1 - p) * total / count weigh less than 1 - p together, so the rest
 * reaches p without them. The bound is halved to stand clear of rounding. What is left goes into a max-heap and is popped
 * until the mass is there; nothing is sorted.
 *
 * @param scores [count] scaled logits
 * @param weights [count] their exponentials, relative to any common factor
 * @param total sum of the weights
 * @param topP below 1
 * @param heap workspace of at least `count`
 */
export function nucleusEnd(
  scores: Float64Array,
  weights: Float64Array,
  count: number,
  total: number,
  topP: number,
  heap: Int32Array,
): number {
  const lightest = (0.5 * (1 - topP) * total) / count;
  let size = 0;
  for (let j = 0; j < count; j++) if (weights[j] >= lightest) heap[size++] = j;
  for (let parent = (size >> 1) - 1; parent >= 0; parent--) {
    sink(heap, size, parent, heap[parent], scores);
  }
  const wanted = topP * total;
  let mass = 0;
  for (;;) {
    const last = heap[0];
    mass += weights[last];
    if (mass >= wanted || size === 1) return last;
    size--;
    sink(heap, size, 0, heap[size], scores);
  }
}

/** Places `index` at or below `hole`, moving children that come before it up. */
function sink(
  heap: Int32Array,
  size: number,
  hole: number,
  index: number,
  scores: Float64Array,
): void {
  for (let child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
    if (child + 1 < size && before(heap[child + 1], heap[child], scores)) child++;
    if (!before(heap[child], index, scores)) break;
    heap[hole] = heap[child];
    hole = child;
  }
  heap[hole] = index;
}

function before(a: number, b: number, scores: Float64Array): boolean {
  return scores[a] > scores[b] || (scores[a] === scores[b] && a < b);
}
