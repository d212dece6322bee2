#include "kexue/kernels/simd_functions.h"
#include "kexue/kernels/vec.h"

namespace kexue::kernels::KEXUE_ISA {
namespace {

// Sum over i of f(i, lane mask), where f gives one vector; 4 running sums.
template <class Term>
inline float reduce(int64_t n, Term term) {
  F s0 = {}, s1 = {}, s2 = {}, s3 = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s0 += term(i);
    s1 += term(i + kLanes);
    s2 += term(i + 2 * kLanes);
    s3 += term(i + 3 * kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) s0 += term(i);
  return sum((s0 + s1) + (s2 + s3));
}

inline float inverse_root(float x) {
  return 1.0f / __builtin_sqrtf(x);
}

}  // namespace

void layer_norm(const float* x,
                const float* gamma,
                const float* beta,
                int64_t n,
                float eps,
                float* y,
                float* mean,
                float* rstd) {
  const int64_t tail = n % kLanes;
  const int64_t body = n - tail;
  const auto count = static_cast<float>(n);
  const F last = tail ? load_part(x + body, tail) : F{};
  const float m =
      (reduce(n, [=](int64_t i) { return load(x + i); }) + sum(last)) / count;
  const F off = (last - m) * first_lanes(tail);
  const float squares = reduce(n,
                               [=](int64_t i) {
                                 const F d = load(x + i) - m;
                                 return d * d;
                               }) +
                        sum(off * off);
  const float r = inverse_root(squares / count + eps);
  for (int64_t i = 0; i < body; i += kLanes) {
    store(y + i, (load(x + i) - m) * r * load(gamma + i) + load(beta + i));
  }
  if (tail) {
    const F g = load_part(gamma + body, tail);
    const F b = load_part(beta + body, tail);
    store_part(y + body, (last - m) * r * g + b, tail);
  }
  *mean = m;
  *rstd = r;
}

// With u = dy * gamma, h = (x - mean) * rstd:
//   dx = rstd * (u - mean(u) - h * mean(u * h)).
void layer_norm_grad(const float* dy,
                     const float* x,
                     const float* gamma,
                     float mean,
                     float rstd,
                     int64_t n,
                     float* dx,
                     float* dgamma,
                     float* dbeta) {
  const int64_t tail = n % kLanes;
  const int64_t body = n - tail;
  F u_sum[2] = {}, uh_sum[2] = {};
  const auto visit = [&](int64_t i, int way) {
    const F d = load(dy + i);
    const F h = (load(x + i) - mean) * rstd;
    const F u = d * load(gamma + i);
    u_sum[way] += u;
    uh_sum[way] += u * h;
    store(dgamma + i, load(dgamma + i) + d * h);
    store(dbeta + i, load(dbeta + i) + d);
  };
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    visit(i, 0);
    visit(i + kLanes, 1);
  }
  if (i + kLanes <= n) visit(i, 0);
  F d_last = {}, h_last = {}, u_last = {};
  if (tail) {
    d_last = load_part(dy + body, tail);
    h_last = (load_part(x + body, tail) - mean) * rstd * first_lanes(tail);
    u_last = d_last * load_part(gamma + body, tail);
    u_sum[0] += u_last;
    uh_sum[0] += u_last * h_last;
    const F g = load_part(dgamma + body, tail) + d_last * h_last;
    const F b = load_part(dbeta + body, tail) + d_last;
    store_part(dgamma + body, g, tail);
    store_part(dbeta + body, b, tail);
  }
  const float inverse = 1.0f / static_cast<float>(n);
  const float u_mean = sum(u_sum[0] + u_sum[1]) * inverse;
  const float uh_mean = sum(uh_sum[0] + uh_sum[1]) * inverse;
  for (int64_t j = 0; j < body; j += kLanes) {
    const F h = (load(x + j) - mean) * rstd;
    const F u = load(dy + j) * load(gamma + j);
    store(dx + j, (u - u_mean - h * uh_mean) * rstd);
  }
  if (tail) {
    store_part(dx + body, (u_last - u_mean - h_last * uh_mean) * rstd, tail);
  }
}

}  // namespace kexue::kernels::KEXUE_ISA
