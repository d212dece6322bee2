#include "kexue/kernels/group_norm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "kexue/kernels/parallel.h"
#include "kexue/kernels/simd.h"

namespace kexue::kernels {
namespace {

using detail::thread_floats;
using Doubles = std::vector<double>;

constexpr int64_t kStripFloats = 64;    // NormColumns::width is a multiple
constexpr int64_t kPieceFloats = 4096;  // stays in the first cache

enum Slot {
  kGamma,
  kBeta,  // of all columns, shared by the threads
  kMean,
  kRstd,  // of all columns
  kFirst,
  kSecond,  // sums of columns
  kReadX,
  kReadDz,
  kOut,  // pieces
  kDy,   // an example
};

// An example as rows of `width` columns: whole positions and whole vectors.
struct Plan {
  GroupNormSpec s;
  int64_t size;   // of an example
  int64_t width;  // of a row; column j holds channel j % channels
  int64_t piece;  // elements, whole rows

  explicit Plan(const GroupNormSpec& spec)
      : s(spec), size(spec.positions * spec.channels) {
    const int64_t whole =
        (size + kStripFloats - 1) / kStripFloats * kStripFloats;
    width = std::min(std::lcm(s.channels, kStripFloats), whole);
    piece = width * std::max<int64_t>(4, kPieceFloats / width);
  }

  int64_t group_channels() const { return s.channels / s.groups; }
  double group_size() const {
    return static_cast<double>(s.positions * group_channels());
  }
  float* columns(Slot slot) const { return thread_floats(slot, width); }

  // body(offset into the example, elements), in order.
  template <class Body>
  void for_pieces(const Body& body) const {
    for (int64_t i = 0; i < size; i += piece) {
      body(i, std::min(piece, size - i));
    }
  }

  // columns[j] = value(channel).
  template <class ValueOf>
  const float* spread(Slot slot, const ValueOf& value) const {
    float* out = columns(slot);
    const int64_t n = std::min(width, s.channels);
    for (int64_t c = 0; c < n; ++c) out[c] = value(c);
    for (int64_t j = n; j < width; ++j) out[j] = out[j - n];
    return out;
  }
  template <class T>
  const float* spread_groups(Slot slot, const T* of_group) const {
    const int64_t d = group_channels();
    return spread(
        slot, [=](int64_t c) { return static_cast<float>(of_group[c / d]); });
  }
  const float* spread_input(Slot slot, const FloatsIn& of_channel) const {
    std::vector<float> room(static_cast<size_t>(s.channels));
    const float* from = of_channel.read(0, s.channels, room.data());
    return spread(slot, [=](int64_t c) { return from[c]; });
  }

  // Adds sums of columns to sums of channels.
  void add_channels(const float* sums, double* channels) const {
    for (int64_t j = 0; j < width; j += s.channels) {
      const int64_t n = std::min(s.channels, width - j);
      for (int64_t c = 0; c < n; ++c) {
        channels[c] += static_cast<double>(sums[j + c]);
      }
    }
  }
  Doubles groups_of(const float* sums) const {
    Doubles channels(static_cast<size_t>(s.channels));
    add_channels(sums, channels.data());
    Doubles out(static_cast<size_t>(s.groups));
    for (size_t c = 0; c < channels.size(); ++c) {
      out[c / static_cast<size_t>(group_channels())] += channels[c];
    }
    return out;
  }
};

// Mean and 1 / sqrt(var + eps) of each group of an example. Each piece is
// centred on its own mean while it is in the cache; then pieces are merged.
// Source: Chan, Golub and LeVeque 1979, "Updating formulae".
void statistics(const Plan& p,
                const FloatsIn& x,
                int64_t start,
                float eps,
                float* mean,
                float* rstd) {
  const auto& simd = detail::simd();
  float* sums = p.columns(kFirst);
  float* squares = p.columns(kSecond);
  const auto groups = static_cast<size_t>(p.s.groups);
  Doubles means(groups), spreads(groups);
  double seen = 0;
  p.for_pieces([&](int64_t at, int64_t n) {
    const float* in = x.read(start + at, n, thread_floats(kReadX, p.piece));
    const double count = static_cast<double>(n / p.s.groups);
    simd.column_sums(in, n, p.width, sums);
    Doubles center = p.groups_of(sums);
    for (double& c : center) c = static_cast<float>(c / count);
    const float* columns = p.spread_groups(kMean, center.data());
    simd.column_moments(in, columns, n, p.width, sums, squares);
    const Doubles off = p.groups_of(sums);
    const Doubles square = p.groups_of(squares);
    const double share = count / (seen + count);
    for (size_t g = 0; g < groups; ++g) {
      const double d = center[g] + off[g] / count - means[g];
      means[g] += d * share;
      spreads[g] += square[g] - off[g] * off[g] / count + d * d * seen * share;
    }
    seen += count;
  });
  for (size_t g = 0; g < groups; ++g) {
    const double var = std::max(spreads[g] / seen, 0.0);
    mean[g] = static_cast<float>(means[g]);
    rstd[g] = static_cast<float>(1 / std::sqrt(var + static_cast<double>(eps)));
  }
}

// Writes dx of an example; adds its part of dgamma and dbeta, [C] each.
void grad_of_example(const Plan& p,
                     int64_t example,
                     const FloatsIn& dz,
                     const FloatsIn& x,
                     const detail::NormColumns& c,
                     const FloatsOut& dx,
                     double* dgamma,
                     double* dbeta) {
  const auto& simd = detail::simd();
  const int64_t start = example * p.size;
  float* first = p.columns(kFirst);
  float* second = p.columns(kSecond);
  // dy waits in dx's own memory, if that is f32.
  float* wait = dx.stage(
      start, dx.dtype == DType::kF32 ? nullptr : thread_floats(kDy, p.size));
  const auto read =
      [&](const FloatsIn& from, Slot slot, int64_t at, int64_t n) {
        return from.read(start + at, n, thread_floats(slot, p.piece));
      };
  p.for_pieces([&](int64_t at, int64_t n) {
    simd.group_norm_slope(read(dz, kReadDz, at, n),
                          read(x, kReadX, at, n),
                          c,
                          p.s.silu,
                          n,
                          wait + at,
                          first,
                          second);
    p.add_channels(first, dbeta);
    p.add_channels(second, dgamma);
  });
  const auto groups = static_cast<size_t>(p.s.groups);
  Doubles u(groups), uh(groups);
  for (int64_t i = 0; i < p.s.channels; ++i) {
    const auto g = static_cast<size_t>(i / p.group_channels());
    const auto gamma = static_cast<double>(c.gamma[i]);
    u[g] += gamma * dbeta[i] / p.group_size();
    uh[g] += gamma * dgamma[i] / p.group_size();
  }
  const float* u_mean = p.spread_groups(kFirst, u.data());
  const float* uh_mean = p.spread_groups(kSecond, uh.data());
  p.for_pieces([&](int64_t at, int64_t n) {
    simd.group_norm_grad(
        wait + at, read(x, kReadX, at, n), c, u_mean, uh_mean, n, wait + at);
    dx.write(start + at, n, wait + at);
  });
}

void write(const FloatsOut& to, const double* values, int64_t n) {
  std::vector<float> room(static_cast<size_t>(n));
  float* out = to.stage(0, room.data());
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(values[i]);
  to.write(0, n, out);
}

}  // namespace

void group_norm(const GroupNormSpec& spec,
                float eps,
                FloatsIn x,
                FloatsIn gamma,
                FloatsIn beta,
                FloatsOut z,
                float* mean,
                float* rstd) {
  if (spec.positions == 0 || spec.channels == 0) {
    const auto none = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(mean, spec.batch * spec.groups, none);
    std::fill_n(rstd, spec.batch * spec.groups, none);
    return;
  }
  const Plan p(spec);
  const float* gammas = p.spread_input(kGamma, gamma);
  const float* betas = p.spread_input(kBeta, beta);
  parallel_for(spec.batch, [&](int64_t b) {
    float* m = mean + b * spec.groups;
    float* r = rstd + b * spec.groups;
    statistics(p, x, b * p.size, eps, m, r);
    const detail::NormColumns c = {.width = p.width,
                                   .mean = p.spread_groups(kMean, m),
                                   .rstd = p.spread_groups(kRstd, r),
                                   .gamma = gammas,
                                   .beta = betas};
    float* in = thread_floats(kReadX, p.piece);
    float* out = thread_floats(kOut, p.piece);
    p.for_pieces([&](int64_t at, int64_t n) {
      const int64_t i = b * p.size + at;
      float* to = z.stage(i, out);
      detail::simd().group_norm(x.read(i, n, in), c, spec.silu, n, to);
      z.write(i, n, to);
    });
  });
}

void group_norm_grad(const GroupNormSpec& spec,
                     FloatsIn dz,
                     FloatsIn x,
                     FloatsIn gamma,
                     FloatsIn beta,
                     const float* mean,
                     const float* rstd,
                     FloatsOut dx,
                     FloatsOut dgamma,
                     FloatsOut dbeta) {
  const int64_t n = spec.channels;
  Doubles parts(static_cast<size_t>((spec.batch + 1) * 2 * n));
  if (spec.positions != 0 && n != 0) {
    const Plan p(spec);
    const float* gammas = p.spread_input(kGamma, gamma);
    const float* betas = p.spread_input(kBeta, beta);
    parallel_for(spec.batch, [&](int64_t b) {
      const detail::NormColumns c = {
          .width = p.width,
          .mean = p.spread_groups(kMean, mean + b * spec.groups),
          .rstd = p.spread_groups(kRstd, rstd + b * spec.groups),
          .gamma = gammas,
          .beta = betas};
      double* part = &parts[static_cast<size_t>((b + 1) * 2 * n)];
      grad_of_example(p, b, dz, x, c, dx, part, part + n);
    });
  }
  double* total = parts.data();
  for (int64_t b = 1; b <= spec.batch; ++b) {
    for (int64_t i = 0; i < 2 * n; ++i) total[i] += total[b * 2 * n + i];
  }
  write(dgamma, total, n);
  write(dbeta, total + n, n);
}

}  // namespace kexue::kernels
