/**
 * Cholesky factor of a symmetric positive definite matrix, grown a row at a time.
 *
 * | symbol | shape      | meaning                                                              |
 * |--------|------------|----------------------------------------------------------------------|
 * | N      | scalar     | rows so far                                                          |
 * | A      | [N, N]     | the matrix (only its lower triangle is ever given)                   |
 * | L      | [N(N+1)/2] | lower factor, L L^T = A + jitter I, rows packed one after the other  |
 * | b, x   | [N]        | right-hand side and solution                                         |
 *
 * Row i of L needs only the rows before it (Cholesky-Banachiewicz), so a whole factorisation is N appended rows and a
 * grown factor equals a full one bit for bit. A row costs O(N^2).
 */
export class Cholesky {
  /** Rows so far. */
  size = 0;
  #l: Float64Array;
  /** Added to every diagonal element. */
  readonly jitter: number;

  /** @param capacity rows to reserve (it grows as needed). @param jitter see above, default 0. */
  constructor(capacity: number, jitter = 0) {
    this.#l = new Float64Array((capacity * (capacity + 1)) / 2);
    this.jitter = jitter;
  }

  /** The packed factor: element (i, j), j <= i, is at i(i+1)/2 + j. Only the first N(N+1)/2 are meaningful. */
  get packed(): Float64Array {
    return this.#l;
  }

  /**
   * Appends row N of A, given as A[N, 0..N] (N+1 values, the diagonal last).
   * @returns false, and changes nothing, when the matrix would not be positive definite to working precision.
   */
  append(row: Float64Array): boolean {
    const n = this.size;
    const start = (n * (n + 1)) / 2;
    if (start + n + 1 > this.#l.length) {
      const larger = new Float64Array(((2 * n + 2) * (2 * n + 3)) / 2);
      larger.set(this.#l);
      this.#l = larger;
    }
    const l = this.#l;
    let i = 0;
    let at = 0;
    // Four rows at a time: each element of the new row is then read once for the four.
    for (; i + 3 < n; at += 4 * i + 10, i += 4) {
      const at1 = at + i + 1;
      const at2 = at1 + i + 2;
      const at3 = at2 + i + 3;
      let s0 = row[i];
      let s1 = row[i + 1];
      let s2 = row[i + 2];
      let s3 = row[i + 3];
      for (let j = 0; j < i; j++) {
        const v = l[start + j];
        s0 -= l[at + j] * v;
        s1 -= l[at1 + j] * v;
        s2 -= l[at2 + j] * v;
        s3 -= l[at3 + j] * v;
      }
      const v0 = s0 / l[at + i];
      const v1 = (s1 - l[at1 + i] * v0) / l[at1 + i + 1];
      const v2 = (s2 - l[at2 + i] * v0 - l[at2 + i + 1] * v1) / l[at2 + i + 2];
      const v3 =
        (s3 - l[at3 + i] * v0 - l[at3 + i + 1] * v1 - l[at3 + i + 2] * v2) / l[at3 + i + 3];
      l[start + i] = v0;
      l[start + i + 1] = v1;
      l[start + i + 2] = v2;
      l[start + i + 3] = v3;
    }
    for (; i < n; at += ++i) l[start + i] = (row[i] - dot(l, at, l, start, i)) / l[at + i];
    const norm = dot(l, start, l, start, n);
    const diagonal = row[n] + this.jitter;
    const pivot = diagonal - norm;
    if (!(pivot > 1e-12 * diagonal)) return false;
    l[start + n] = Math.sqrt(pivot);
    this.size = n + 1;
    return true;
  }

  /** Solves L x = b in place. */
  solveLower(b: Float64Array): void {
    const l = this.#l;
    for (let i = 0, at = 0; i < this.size; at += ++i)
      b[i] = (b[i] - dot(l, at, b, 0, i)) / l[at + i];
  }

  /** Solves L^T x = b in place. */
  solveUpper(b: Float64Array): void {
    const l = this.#l;
    for (let i = this.size - 1; i >= 0; i--) {
      const at = (i * (i + 1)) / 2;
      const x = b[i] / l[at + i];
      b[i] = x;
      for (let j = 0; j < i; j++) b[j] -= l[at + j] * x;
    }
  }

  /**
   * Squared norms |L^-1 b_r|^2 of four right-hand sides at once (each element of L is then read once for the four).
   * @param b [N * 4], b_r[i] at 4i + r; overwritten with L^-1 b_r.
   */
  solveLowerNorms(b: Float64Array): [number, number, number, number] {
    const l = this.#l;
    let q0 = 0;
    let q1 = 0;
    let q2 = 0;
    let q3 = 0;
    for (let i = 0, at = 0; i < this.size; at += ++i) {
      let s0 = b[4 * i];
      let s1 = b[4 * i + 1];
      let s2 = b[4 * i + 2];
      let s3 = b[4 * i + 3];
      for (let j = 0, k = 0; j < i; j++, k += 4) {
        const v = l[at + j];
        s0 -= v * b[k];
        s1 -= v * b[k + 1];
        s2 -= v * b[k + 2];
        s3 -= v * b[k + 3];
      }
      const d = 1 / l[at + i];
      s0 *= d;
      s1 *= d;
      s2 *= d;
      s3 *= d;
      b[4 * i] = s0;
      b[4 * i + 1] = s1;
      b[4 * i + 2] = s2;
      b[4 * i + 3] = s3;
      q0 += s0 * s0;
      q1 += s1 * s1;
      q2 += s2 * s2;
      q3 += s3 * s3;
    }
    return [q0, q1, q2, q3];
  }

  /** log det(A + jitter I). */
  logDeterminant(): number {
    let sum = 0;
    for (let i = 0; i < this.size; i++) sum += Math.log(this.#l[(i * (i + 3)) / 2]);
    return 2 * sum;
  }

  /** The lower triangle of A^-1, packed as L is: A^-1 = L^-T L^-1. O(N^3). */
  inverse(): Float64Array {
    const n = this.size;
    const l = this.#l;
    // W = L^-1, held transposed (row j of `w` is column j of W, from its diagonal on), so that every inner loop is
    // over consecutive elements.
    const w = new Float64Array(n * n);
    for (let j = 0; j < n; j++) {
      w[j * n + j] = 1 / l[(j * (j + 3)) / 2];
      for (let i = j + 1; i < n; i++) {
        const at = (i * (i + 1)) / 2;
        w[j * n + i] = -dot(l, at + j, w, j * n + j, i - j) / l[at + i];
      }
    }
    const inverse = new Float64Array((n * (n + 1)) / 2);
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++)
        inverse[(i * (i + 1)) / 2 + j] = dot(w, i * n + i, w, j * n + i, n - i);
    return inverse;
  }
}

/** Sum of a[i + k] b[j + k] over k < n, in four interleaved partial sums. */
export function dot(a: Float64Array, i: number, b: Float64Array, j: number, n: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 3 < n; k += 4) {
    s0 += a[i + k] * b[j + k];
    s1 += a[i + k + 1] * b[j + k + 1];
    s2 += a[i + k + 2] * b[j + k + 2];
    s3 += a[i + k + 3] * b[j + k + 3];
  }
  for (; k < n; k++) s0 += a[i + k] * b[j + k];
  return s0 + s1 + (s2 + s3);
}
