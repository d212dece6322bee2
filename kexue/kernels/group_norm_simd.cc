#include "kexue/kernels/simd_functions.h"
#include "kexue/kernels/vec.h"

namespace kexue::kernels::KEXUE_ISA {
namespace {

// A whole vector, and the first n lanes of one.
struct Whole {
  F get(const float* p) const { return load(p); }
  void put(float* p, F v) const { store(p, v); }
  F keep(F v) const { return v; }
};
struct Part {
  int64_t n;
  F get(const float* p) const { return load_part(p, n); }
  void put(float* p, F v) const { store_part(p, v, n); }
  F keep(F v) const { return kIndex < static_cast<int32_t>(n) ? v : F{}; }
};

constexpr int kStrip = 4;  // vectors of columns that are summed in registers

struct Sums {
  F first = {};
  F second = {};
};

// Calls visit(lanes, i, j, sums) for vectors of elements i that belong to
// columns j = i % width; each column has sums of its own, which then go to
// `first` and `second` unless these are null.
template <class Visit>
inline void for_columns(
    int64_t n, int64_t width, float* first, float* second, Visit visit) {
  for (int64_t j = 0; j < width; j += kStrip * kLanes) {
    Sums sums[kStrip];
    int64_t i = j;
    for (; i + kStrip * kLanes <= n; i += width) {
      for (int v = 0; v < kStrip; ++v) {
        visit(Whole{}, i + v * kLanes, j + v * kLanes, sums[v]);
      }
    }
    for (int v = 0; v < kStrip; ++v) {  // the end cuts a strip
      const int64_t at = i + v * kLanes;
      if (at + kLanes <= n) {
        visit(Whole{}, at, j + v * kLanes, sums[v]);
      } else if (at < n) {
        visit(Part{n - at}, at, j + v * kLanes, sums[v]);
      }
    }
    for (int v = 0; v < kStrip; ++v) {
      if (first) store(first + j + v * kLanes, sums[v].first);
      if (second) store(second + j + v * kLanes, sums[v].second);
    }
  }
}

inline F sigmoid(F y) {
  const F x = -y;
  return 1.0f / (exp(x > 88.0f ? splat(88.0f) : x) + 1.0f);
}

template <bool kSilu>
inline void norm(const float* x,
                 const detail::NormColumns& c,
                 int64_t n,
                 float* z) {
  for_columns(n,
              c.width,
              nullptr,
              nullptr,
              [&](auto lanes, int64_t i, int64_t j, Sums&) {
                const F h =
                    (lanes.get(x + i) - load(c.mean + j)) * load(c.rstd + j);
                const F y = h * load(c.gamma + j) + load(c.beta + j);
                lanes.put(z + i, kSilu ? y * sigmoid(y) : y);
              });
}

template <bool kSilu>
inline void slope(const float* dz,
                  const float* x,
                  const detail::NormColumns& c,
                  int64_t n,
                  float* dy,
                  float* dbeta,
                  float* dgamma) {
  for_columns(n,
              c.width,
              dbeta,
              dgamma,
              [&](auto lanes, int64_t i, int64_t j, Sums& sums) {
                const F h =
                    (lanes.get(x + i) - load(c.mean + j)) * load(c.rstd + j);
                F d = lanes.get(dz + i);
                if constexpr (kSilu) {
                  const F y = h * load(c.gamma + j) + load(c.beta + j);
                  const F s = sigmoid(y);
                  d *= s * (1.0f + y * (1.0f - s));
                }
                lanes.put(dy + i, d);
                sums.first += lanes.keep(d);
                sums.second += lanes.keep(d * h);
              });
}

}  // namespace

void column_sums(const float* x, int64_t n, int64_t width, float* sums) {
  for_columns(
      n, width, sums, nullptr, [=](auto lanes, int64_t i, int64_t, Sums& s) {
        s.first += lanes.get(x + i);
      });
}

void column_moments(const float* x,
                    const float* center,
                    int64_t n,
                    int64_t width,
                    float* sums,
                    float* squares) {
  for_columns(
      n, width, sums, squares, [=](auto lanes, int64_t i, int64_t j, Sums& s) {
        const F d = lanes.keep(lanes.get(x + i) - load(center + j));
        s.first += d;
        s.second += d * d;
      });
}

void group_norm(const float* x,
                const detail::NormColumns& c,
                bool silu,
                int64_t n,
                float* z) {
  silu ? norm<true>(x, c, n, z) : norm<false>(x, c, n, z);
}

void group_norm_slope(const float* dz,
                      const float* x,
                      const detail::NormColumns& c,
                      bool silu,
                      int64_t n,
                      float* dy,
                      float* dbeta,
                      float* dgamma) {
  silu ? slope<true>(dz, x, c, n, dy, dbeta, dgamma)
       : slope<false>(dz, x, c, n, dy, dbeta, dgamma);
}

void group_norm_grad(const float* dy,
                     const float* x,
                     const detail::NormColumns& c,
                     const float* u_mean,
                     const float* uh_mean,
                     int64_t n,
                     float* dx) {
  for_columns(n,
              c.width,
              nullptr,
              nullptr,
              [&](auto lanes, int64_t i, int64_t j, Sums&) {
                const F rstd = load(c.rstd + j);
                const F h = (lanes.get(x + i) - load(c.mean + j)) * rstd;
                const F u = lanes.get(dy + i) * load(c.gamma + j);
                const F off = load(u_mean + j) + h * load(uh_mean + j);
                lanes.put(dx + i, (u - off) * rstd);
              });
}

}  // namespace kexue::kernels::KEXUE_ISA
