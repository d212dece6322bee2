// Data and settings shared by the kernels' tests.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "kexue/base/dtype.h"
#include "kexue/base/random.h"
#include "kexue/kernels/parallel.h"
#include "kexue/kernels/simd.h"

namespace kexue::kernels {

inline std::vector<float> normals(int64_t n, uint64_t seed) {
  Random random(Key::from_seed(seed));
  std::vector<float> x(static_cast<size_t>(n));
  for (float& v : x) v = static_cast<float>(random.normal());
  return x;
}

inline std::vector<BFloat16> to_bf16(const std::vector<float>& x) {
  std::vector<BFloat16> y;
  for (const float v : x) y.emplace_back(v);
  return y;
}

inline std::vector<float> to_f32(const std::vector<BFloat16>& x) {
  std::vector<float> y;
  for (const BFloat16 v : x) y.push_back(static_cast<float>(v));
  return y;
}

// The largest |got - want| / (1 + |want|).
template <class Got, class Want>
double worst(const std::vector<Got>& got, const std::vector<Want>& want) {
  EXPECT_EQ(got.size(), want.size());
  double most = 0.0;
  for (size_t i = 0; i < std::min(got.size(), want.size()); ++i) {
    const double g = static_cast<double>(static_cast<float>(got[i]));
    const double w = static_cast<double>(want[i]);
    const double error = std::fabs(g - w) / (1.0 + std::fabs(w));
    if (!(error <= most)) most = error;  // keeps NaN
  }
  return most;
}

// Runs the check in every form of the row kernels that this machine can run.
inline void for_each_simd(const std::function<void()>& check) {
  for (const std::string_view name : detail::simd_names()) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(detail::select_simd(name));
    check();
  }
  detail::select_simd(detail::simd_names().front());
}

// The result of run() must have the same bits with 1, 2 and 3 threads.
template <class Run>
void expect_thread_independent(const Run& run) {
  set_threads(1);
  const auto one = run();
  for (const int count : {2, 3}) {
    set_threads(count);
    for (int round = 0; round < 3; ++round) EXPECT_EQ(run(), one) << count;
  }
  set_threads(0);
}

}  // namespace kexue::kernels
