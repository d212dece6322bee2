#include "kexue/kernels/adamw.h"

#include <gtest/gtest.h>

#include "kexue/kernels/parallel.h"
#include "tests/kernels/kernel_test_util.h"

namespace kexue::kernels {
namespace {

constexpr AdamWRule kRule = {.beta1 = 0.9f,
                             .beta2 = 0.999f,
                             .rest1 = 0.1f,
                             .rest2 = 0.001f,
                             .rate = 1e-2f,
                             .eps = 1e-6f,
                             .decay = 1e-3f,
                             .scale = 0.25f};

struct State {
  std::vector<float> w, m, v, g;
};

State made(size_t n) {
  State s;
  for (size_t i = 0; i < n; ++i) {
    const auto x = static_cast<float>(i % 97) / 97.0f;
    s.w.push_back(x - 0.5f);
    s.m.push_back(0.3f * x - 0.1f);
    s.v.push_back(0.01f + x * x);
    s.g.push_back(2.0f * x - 1.3f);
  }
  return s;
}

TEST(AdamW, MatchesTheDefinitionInDoubleAtEveryLength) {
  for_each_simd([] {
    for (const size_t n : {0, 1, 5, 16, 33, 70000}) {
      const State s = made(n);
      std::vector<float> w(n), m(n), v(n);
      adamw(static_cast<int64_t>(n),
            kRule,
            s.w.data(),
            s.m.data(),
            s.v.data(),
            s.g.data(),
            w.data(),
            m.data(),
            v.data());
      for (size_t i = 0; i < n; ++i) {
        const double h = 0.25 * static_cast<double>(s.g[i]);
        const double a = 0.9 * static_cast<double>(s.m[i]) + 0.1 * h;
        const double b = 0.999 * static_cast<double>(s.v[i]) + 0.001 * h * h;
        ASSERT_NEAR(m[i], a, 2e-7 * std::max(0.1, std::fabs(a)));
        ASSERT_NEAR(v[i], b, 2e-7 * b);
        ASSERT_NEAR(w[i],
                    static_cast<double>(s.w[i]) * (1 - 1e-3) -
                        1e-2 * a / (std::sqrt(b) + 1e-6),
                    2e-7);
      }
    }
  });
}

TEST(AdamW, ASkippedStepLeavesEverything) {
  AdamWRule rule = kRule;
  rule.go = false;
  const State s = made(1000);
  std::vector<float> w(1000), m(1000), v(1000);
  adamw(1000,
        rule,
        s.w.data(),
        s.m.data(),
        s.v.data(),
        s.g.data(),
        w.data(),
        m.data(),
        v.data());
  EXPECT_EQ(w, s.w);
  EXPECT_EQ(m, s.m);
  EXPECT_EQ(v, s.v);
}

TEST(AdamW, InPlaceAndWithAnyThreadsTheSameBits) {
  const State start = made(200000);
  State once = start;
  const auto run = [](State& s) {
    adamw(static_cast<int64_t>(s.w.size()),
          kRule,
          s.w.data(),
          s.m.data(),
          s.v.data(),
          s.g.data(),
          s.w.data(),
          s.m.data(),
          s.v.data());
  };
  set_threads(1);
  run(once);
  for (const int threads : {2, 3}) {
    set_threads(threads);
    State again = start;
    run(again);
    EXPECT_EQ(again.w, once.w);
    EXPECT_EQ(again.m, once.m);
    EXPECT_EQ(again.v, once.v);
  }
  set_threads(0);
  EXPECT_NE(once.w, start.w);
}

}  // namespace
}  // namespace kexue::kernels
