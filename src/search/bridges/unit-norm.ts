/** rmsnorm of every row with weights 1, which is what bridges see of a hidden state. @param size of a row. */
export function unitNorm(states: Float32Array, size: number, eps: number): Float32Array {
  const normed = new Float32Array(states.length);
  for (let at = 0; at < states.length; at += size) {
    let squares = 0;
    for (let i = at; i < at + size; i++) squares += states[i]! ** 2;
    const scale = 1 / Math.sqrt(squares / size + eps);
    for (let i = at; i < at + size; i++) normed[i] = scale * states[i]!;
  }
  return normed;
}
