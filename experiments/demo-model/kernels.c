// Fused element-wise kernels of the training on a CPU: the operators of torch between its matrix products each pass over
// memory by themselves and take longer than the products. bfloat16 values are held as uint16_t, sums are in float.
//
//   n rows (tokens)   d hidden   f intermediate   b windows   t tokens of a window   g query heads of a key head   hd head size
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint16_t bf16;

static inline float up(bf16 h) {
  union { uint32_t u; float f; } v = {(uint32_t)h << 16};
  return v.f;
}

static inline bf16 down(float f) { // rounds to the nearest, ties to even
  union { float f; uint32_t u; } v = {f};
  return (v.u + 0x7fff + ((v.u >> 16) & 1)) >> 16;
}

// x += delta (where there is one); y = x / rms(x) * w
void add_norm(long n, long d, float eps, const float *x, const bf16 *delta, const float *w, float *sum, bf16 *y, float *r) {
#pragma omp parallel for
  for (long i = 0; i < n; i++) {
    const float *xi = x + i * d;
    float *si = sum + i * d, squares = 0;
    for (long j = 0; j < d; j++) {
      const float v = xi[j] + (delta ? up(delta[i * d + j]) : 0);
      si[j] = v;
      squares += v * v;
    }
    r[i] = 1 / sqrtf(squares / d + eps);
    for (long j = 0; j < d; j++) y[i * d + j] = down(si[j] * r[i] * w[j]);
  }
}

// gx = gsum + the gradient through the norm; gdelta is the same in bfloat16; gw [parts, d] has a sum for each part of the rows
void add_norm_back(long n, long d, long parts, const float *sum, const float *w, const float *r, const float *gsum,
                   const bf16 *gy, float *gx, bf16 *gdelta, float *gw) {
#pragma omp parallel for schedule(static, 1)
  for (long part = 0; part < parts; part++) {
    float *gwp = gw + part * d;
    memset(gwp, 0, d * sizeof(float));
    for (long i = part * n / parts; i < (part + 1) * n / parts; i++) {
      const float *si = sum + i * d;
      const bf16 *gi = gy + i * d;
      float dot = 0;
      for (long j = 0; j < d; j++) dot += up(gi[j]) * w[j] * si[j];
      const float ri = r[i], scale = dot * ri * ri / d;
      for (long j = 0; j < d; j++) {
        const float g = up(gi[j]);
        gwp[j] += g * si[j] * ri;
        const float v = (gsum ? gsum[i * d + j] : 0) + ri * (g * w[j] - si[j] * scale);
        gx[i * d + j] = v;
        if (gdelta) gdelta[i * d + j] = down(v);
      }
    }
  }
}

// h = silu(gate) * up, gate and up side by side in gu [n, 2f]
void swiglu(long n, long f, const bf16 *gu, bf16 *h) {
#pragma omp parallel for
  for (long i = 0; i < n; i++) {
    const bf16 *a = gu + i * 2 * f, *u = a + f;
    for (long j = 0; j < f; j++) {
      const float v = up(a[j]);
      h[i * f + j] = down(v / (1 + expf(-v)) * up(u[j]));
    }
  }
}

void swiglu_back(long n, long f, const bf16 *gu, const bf16 *gh, bf16 *ggu) {
#pragma omp parallel for
  for (long i = 0; i < n; i++) {
    const bf16 *a = gu + i * 2 * f, *u = a + f, *g = gh + i * f;
    bf16 *ga = ggu + i * 2 * f;
    for (long j = 0; j < f; j++) {
      const float v = up(a[j]), s = 1 / (1 + expf(-v)), gj = up(g[j]);
      ga[j] = down(gj * up(u[j]) * s * (1 + v * (1 - s)));
      ga[f + j] = down(gj * v * s);
    }
  }
}

// One head's rows [t, hd] at the place `at` of a row of `wide` values, turned by the rotary angles (sign -1 turns back).
static void turn(long t, long hd, const bf16 *from, long from_wide, bf16 *to, long to_wide, const float *cos,
                 const float *sin, float sign) {
  const long half = hd / 2;
  for (long i = 0; i < t; i++) {
    const bf16 *x = from + i * from_wide;
    bf16 *y = to + i * to_wide;
    for (long j = 0; j < half; j++) {
      const float a = up(x[j]), b = up(x[j + half]), c = cos[i * hd + j], s = sign * sin[i * hd + j];
      y[j] = down(a * c - b * s);
      y[j + half] = down(b * c + a * s);
    }
  }
}

static void copy(long t, long hd, const bf16 *from, long from_wide, bf16 *to, long to_wide) {
  for (long i = 0; i < t; i++) memcpy(to + i * to_wide, from + i * from_wide, hd * sizeof(bf16));
}

// qkv [b, t, (kv g + 2 kv) hd] to q [b, kv, g, t, hd], k and v [b, kv, t, hd], q and k turned; or, back, their gradients to its.
void heads(long b, long t, long kv, long g, long hd, int back, bf16 *qkv, bf16 *q, bf16 *k, bf16 *v, const float *cos,
           const float *sin) {
  const long wide = (kv * g + 2 * kv) * hd;
#pragma omp parallel for collapse(2)
  for (long i = 0; i < b; i++)
    for (long h = 0; h < kv; h++) {
      bf16 *row = qkv + i * t * wide;
      for (long j = 0; j < g; j++) {
        bf16 *flat = row + (h * g + j) * hd, *head = q + ((i * kv + h) * g + j) * t * hd;
        if (back) turn(t, hd, head, hd, flat, wide, cos, sin, -1);
        else turn(t, hd, flat, wide, head, hd, cos, sin, 1);
      }
      bf16 *fk = row + (kv * g + h) * hd, *fv = fk + kv * hd, *hk = k + (i * kv + h) * t * hd, *hv = v + (i * kv + h) * t * hd;
      if (back) {
        turn(t, hd, hk, hd, fk, wide, cos, sin, -1);
        copy(t, hd, hv, hd, fv, wide);
      } else {
        turn(t, hd, fk, wide, hk, hd, cos, sin, 1);
        copy(t, hd, fv, wide, hv, hd);
      }
    }
}

// flat [b, t, heads hd] to apart [b, heads, t, hd], or back
void merge(long b, long t, long heads, long hd, int back, bf16 *flat, bf16 *apart) {
#pragma omp parallel for collapse(2)
  for (long i = 0; i < b; i++)
    for (long h = 0; h < heads; h++) {
      bf16 *f = flat + i * t * heads * hd + h * hd, *a = apart + (i * heads + h) * t * hd;
      if (back) copy(t, hd, a, hd, f, heads * hd);
      else copy(t, hd, f, heads * hd, a, hd);
    }
}

// scores [rows, t] to weights in place: softmax of scale * scores over the first (row mod t) + 1 columns
void causal_softmax(long rows, long t, float scale, bf16 *s) {
#pragma omp parallel for schedule(dynamic, 64)
  for (long i = 0; i < rows; i++) {
    bf16 *x = s + i * t;
    const long n = i % t + 1;
    float top = -1e30f, total = 0, e[t];
    for (long j = 0; j < n; j++) top = fmaxf(top, up(x[j]));
    for (long j = 0; j < n; j++) {
      e[j] = expf(scale * (up(x[j]) - top));
      total += e[j];
    }
    total = 1 / total;
    for (long j = 0; j < n; j++) x[j] = down(e[j] * total);
    memset(x + n, 0, (t - n) * sizeof(bf16));
  }
}

// gradient of the weights to that of the scores, in place
void causal_softmax_back(long rows, long t, float scale, const bf16 *weights, bf16 *grad) {
#pragma omp parallel for schedule(dynamic, 64)
  for (long i = 0; i < rows; i++) {
    const bf16 *p = weights + i * t;
    bf16 *g = grad + i * t;
    const long n = i % t + 1;
    float dot = 0;
    for (long j = 0; j < n; j++) dot += up(p[j]) * up(g[j]);
    for (long j = 0; j < n; j++) g[j] = down(scale * up(p[j]) * (up(g[j]) - dot));
    memset(g + n, 0, (t - n) * sizeof(bf16));
  }
}

static float soft(long v, const bf16 *x, float *p) { // p = softmax(x); returns log sum exp
  float top = -1e30f, total = 0;
  for (long j = 0; j < v; j++) top = fmaxf(top, up(x[j]));
  for (long j = 0; j < v; j++) {
    p[j] = expf(up(x[j]) - top);
    total += p[j];
  }
  const float scale = 1 / total;
  for (long j = 0; j < v; j++) p[j] *= scale;
  return top + logf(total);
}

static long first_max(long v, const bf16 *x) {
  long best = 0;
  for (long j = 1; j < v; j++)
    if (up(x[j]) > up(x[best])) best = j;
  return best;
}

// loss [n] = -log softmax(logits)[target]; grad = softmax(logits) - onehot(target), over n
void cross_entropy(long n, long v, const bf16 *logits, const int64_t *target, float *loss, bf16 *grad) {
#pragma omp parallel for
  for (long i = 0; i < n; i++) {
    float p[v];
    const bf16 *x = logits + i * v;
    loss[i] = soft(v, x, p) - up(x[target[i]]);
    p[target[i]] -= 1;
    for (long j = 0; j < v; j++) grad[i * v + j] = down(p[j] / n);
  }
}

// loss [n] = KL(softmax(full) || softmax(draft)), grad that of the draft's logits over n, agree [n]: the same largest logit
void divergence(long n, long v, const bf16 *full, const bf16 *draft, float *loss, bf16 *grad, float *agree) {
#pragma omp parallel for
  for (long i = 0; i < n; i++) {
    float p[v], q[v], sum = 0;
    const bf16 *x = full + i * v, *y = draft + i * v;
    const float zx = soft(v, x, p), zy = soft(v, y, q);
    for (long j = 0; j < v; j++) {
      sum += p[j] * (up(x[j]) - zx - up(y[j]) + zy);
      grad[i * v + j] = down((q[j] - p[j]) / n);
    }
    loss[i] = sum;
    agree[i] = first_max(v, x) == first_max(v, y);
  }
}
