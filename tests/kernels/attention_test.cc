#include "kexue/kernels/attention.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/kernels/kernel_test_util.h"
#include "tests/support/error_matchers.h"

namespace kexue::kernels {
namespace {

// std::vector<bool> has no data().
struct Mask {
  explicit Mask(size_t n) : allowed(new bool[n]()), size(n) {}
  std::unique_ptr<bool[]> allowed;
  size_t size;
};

Mask random_mask(const AttentionSpec& s, bool full) {
  Mask mask(static_cast<size_t>(s.batch * s.keys));
  Random random(Key::from_seed(99));
  for (size_t i = 0; i < mask.size; ++i) {
    mask.allowed[i] = full || random.below(4) != 0;
  }
  return mask;
}

struct Tensors {
  std::vector<double> o, lse, dq, dk, dv;
};

bool kept(const AttentionSpec& s, uint64_t i) {
  const uint64_t j = i / 4;
  const auto w = threefry2x32(
      s.key, static_cast<uint32_t>(j >> 32), static_cast<uint32_t>(j));
  const uint32_t word = w[i % 4 / 2];
  return static_cast<int64_t>(i % 2 ? word >> 16 : word & 0xffff) >=
         s.threshold;
}

// One row of the definition and of its gradient, in double.
void reference_row(const AttentionSpec& s,
                   const std::vector<float>& q,
                   const std::vector<float>& k,
                   const std::vector<float>& v,
                   const bool* mask,
                   const std::vector<float>& d_o,
                   std::array<int64_t, 3> bht,
                   Tensors& r) {
  const auto [b, h, t] = bht;
  const auto at = [&](int64_t length, int64_t i, int64_t d) {
    return static_cast<size_t>(((b * length + i) * s.heads + h) * s.dim + d);
  };
  const auto count = static_cast<size_t>(s.keys);
  std::vector<double> p(count), keep(count), dp(count);
  double sum = 0;
  for (int64_t i = 0; i < s.keys; ++i) {
    const auto n = static_cast<size_t>(i);
    double score = 0;
    for (int64_t d = 0; d < s.dim; ++d) {
      score += static_cast<double>(q[at(s.queries, t, d)]) *
               static_cast<double>(k[at(s.keys, i, d)]);
    }
    score *= static_cast<double>(s.scale);
    const bool seen = mask[b * s.keys + i] && !(s.causal && i > t);
    p[n] = seen ? std::exp(score) : 0.0;
    sum += p[n];
    const int64_t flat = ((b * s.heads + h) * s.queries + t) * s.keys + i;
    keep[n] = kept(s, static_cast<uint64_t>(flat))
                  ? 65536.0 / static_cast<double>(65536 - s.threshold)
                  : 0.0;
  }
  const auto row = static_cast<size_t>((b * s.heads + h) * s.queries + t);
  r.lse[row] = sum > 0 ? std::log(sum) : 0.0;
  if (sum == 0) return;
  double delta = 0;
  for (size_t n = 0; n < count; ++n) {
    p[n] /= sum;
    for (int64_t d = 0; d < s.dim; ++d) {
      const size_t to = at(s.queries, t, d);
      const size_t from = at(s.keys, static_cast<int64_t>(n), d);
      r.o[to] += p[n] * keep[n] * static_cast<double>(v[from]);
      r.dv[from] += p[n] * keep[n] * static_cast<double>(d_o[to]);
      dp[n] +=
          keep[n] * static_cast<double>(d_o[to]) * static_cast<double>(v[from]);
    }
    delta += p[n] * dp[n];
  }
  for (size_t n = 0; n < count; ++n) {
    const double ds = static_cast<double>(s.scale) * p[n] * (dp[n] - delta);
    for (int64_t d = 0; d < s.dim; ++d) {
      const size_t to = at(s.queries, t, d);
      const size_t from = at(s.keys, static_cast<int64_t>(n), d);
      r.dq[to] += ds * static_cast<double>(k[from]);
      r.dk[from] += ds * static_cast<double>(q[to]);
    }
  }
}

struct Case {
  AttentionSpec spec;
  std::vector<float> q, k, v, d_o;
};

Case make_case(AttentionSpec s, bool round) {
  s.scale = 1.0f / std::sqrt(static_cast<float>(s.dim));
  s.key = {7, 11};
  const int64_t row = s.heads * s.dim;
  Case c{s,
         normals(s.batch * s.queries * row, 1),
         normals(s.batch * s.keys * row, 2),
         normals(s.batch * s.keys * row, 3),
         normals(s.batch * s.queries * row, 4)};
  if (round) {
    for (auto* x : {&c.q, &c.k, &c.v, &c.d_o}) *x = to_f32(to_bf16(*x));
  }
  return c;
}

Tensors reference(const Case& c, const bool* mask) {
  const AttentionSpec& s = c.spec;
  Tensors r{
      std::vector<double>(c.q.size()),
      std::vector<double>(static_cast<size_t>(s.batch * s.heads * s.queries)),
      std::vector<double>(c.q.size()),
      std::vector<double>(c.k.size()),
      std::vector<double>(c.k.size())};
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t h = 0; h < s.heads; ++h) {
      for (int64_t t = 0; t < s.queries; ++t) {
        reference_row(s, c.q, c.k, c.v, mask, c.d_o, {b, h, t}, r);
      }
    }
  }
  return r;
}

template <class Out>
struct Result {
  std::vector<Out> o;
  std::vector<float> lse;
  std::vector<Out> dq, dk, dv;
};

// Outputs start as 9, to see that every element is written.
template <class Out, class In, class Grad>
Result<Out> run(const Case& c,
                const bool* mask,
                const std::vector<In>& q,
                const std::vector<In>& k,
                const std::vector<In>& v,
                const std::vector<Grad>& d_o) {
  const AttentionSpec& s = c.spec;
  const Out nine(9.0f);
  Result<Out> r{std::vector<Out>(q.size(), nine),
                std::vector<float>(
                    static_cast<size_t>(s.batch * s.heads * s.queries), 9.0f),
                std::vector<Out>(q.size(), nine),
                std::vector<Out>(k.size(), nine),
                std::vector<Out>(k.size(), nine)};
  attention(s, q.data(), k.data(), v.data(), mask, r.o.data(), r.lse.data());
  attention_grad(s,
                 q.data(),
                 k.data(),
                 v.data(),
                 mask,
                 r.o.data(),
                 r.lse.data(),
                 d_o.data(),
                 r.dq.data(),
                 r.dk.data(),
                 r.dv.data());
  return r;
}

template <class Out>
void expect_close(const Result<Out>& got, const Tensors& want, double limit) {
  EXPECT_LT(worst(got.o, want.o), limit);
  EXPECT_LT(worst(got.lse, want.lse), limit);
  EXPECT_LT(worst(got.dq, want.dq), limit);
  EXPECT_LT(worst(got.dk, want.dk), limit);
  EXPECT_LT(worst(got.dv, want.dv), limit);
}

const AttentionSpec kSpecs[] = {
    {.batch = 1, .queries = 1, .keys = 1, .heads = 1, .dim = 1},
    {.batch = 2, .queries = 3, .keys = 5, .heads = 2, .dim = 4},
    {.batch = 2, .queries = 17, .keys = 33, .heads = 3, .dim = 20},
    {.batch = 3, .queries = 64, .keys = 64, .heads = 2, .dim = 32},
    {.batch = 1, .queries = 300, .keys = 70, .heads = 2, .dim = 64},
    {.batch = 1, .queries = 130, .keys = 512, .heads = 1, .dim = 128},
    {.batch = 2, .queries = 1, .keys = 1, .heads = 1, .dim = 5, .causal = true},
    {.batch = 2,
     .queries = 70,
     .keys = 70,
     .heads = 2,
     .dim = 64,
     .causal = true},
    {.batch = 2,
     .queries = 257,
     .keys = 257,
     .heads = 1,
     .dim = 20,
     .causal = true},
};

std::string text(const AttentionSpec& s) {
  return "B " + std::to_string(s.batch) + " T " + std::to_string(s.queries) +
         " S " + std::to_string(s.keys) + " H " + std::to_string(s.heads) +
         " D " + std::to_string(s.dim) + " threshold " +
         std::to_string(s.threshold) + (s.causal ? " causal" : "");
}

TEST(Attention, ValueAndGradientMatchTheDefinition) {
  for_each_simd([] {
    for (AttentionSpec spec : kSpecs) {
      for (const int64_t threshold : {0, 13107}) {
        spec.threshold = threshold;
        SCOPED_TRACE(text(spec));
        const Case c = make_case(spec, false);
        const Mask mask = random_mask(spec, threshold == 0);
        const auto got =
            run<float>(c, mask.allowed.get(), c.q, c.k, c.v, c.d_o);
        expect_close(got, reference(c, mask.allowed.get()), 1e-5);
      }
    }
  });
}

TEST(Attention, Bf16InputsMatchToTheirPrecision) {
  for_each_simd([] {
    for (AttentionSpec spec : kSpecs) {
      for (const int64_t threshold : {0, 13107}) {
        spec.threshold = threshold;
        SCOPED_TRACE(text(spec));
        const Case c = make_case(spec, true);
        const Mask mask = random_mask(spec, false);
        const Tensors want = reference(c, mask.allowed.get());
        const auto q = to_bf16(c.q), k = to_bf16(c.k), v = to_bf16(c.v);
        const auto d_o = to_bf16(c.d_o);
        expect_close(
            run<float>(c, mask.allowed.get(), q, k, v, c.d_o), want, 0.03);
        expect_close(
            run<BFloat16>(c, mask.allowed.get(), q, k, v, d_o), want, 0.04);
        expect_close(run<BFloat16>(c, mask.allowed.get(), c.q, c.k, c.v, d_o),
                     want,
                     0.03);
      }
    }
  });
}

TEST(Attention, BatchEntryWithoutAllowedKeysGivesZeros) {
  const Case c = make_case(
      {.batch = 2, .queries = 20, .keys = 40, .heads = 2, .dim = 8}, false);
  Mask mask(80);
  for (size_t s = 0; s < 37; ++s) mask.allowed[40 + s] = true;
  const auto got = run<float>(c, mask.allowed.get(), c.q, c.k, c.v, c.d_o);
  expect_close(got, reference(c, mask.allowed.get()), 1e-5);
  for (size_t i = 0; i < 20 * 16; ++i) ASSERT_EQ(got.o[i], 0.0f);
  for (size_t i = 0; i < 40 * 16; ++i) ASSERT_EQ(got.dk[i], 0.0f);
  for (size_t i = 0; i < 40; ++i) ASSERT_EQ(got.lse[i], 0.0f);
}

TEST(Attention, CausalQueriesBeforeTheFirstAllowedKeyGiveZeros) {
  const Case c = make_case({.batch = 2,
                            .queries = 150,
                            .keys = 150,
                            .heads = 2,
                            .dim = 8,
                            .causal = true},
                           false);
  Mask mask(300);
  for (size_t s = 0; s < 150; ++s) mask.allowed[s] = s > 99 && s < 120;
  for (size_t s = 0; s < 150; ++s) mask.allowed[150 + s] = s > 4;
  const auto got = run<float>(c, mask.allowed.get(), c.q, c.k, c.v, c.d_o);
  expect_close(got, reference(c, mask.allowed.get()), 1e-5);
  for (size_t i = 0; i < 100 * 16; ++i) ASSERT_EQ(got.o[i], 0.0f);
  for (size_t i = 0; i < 100 * 16; ++i) ASSERT_EQ(got.dq[i], 0.0f);
  for (size_t i = 0; i < 100; ++i) ASSERT_EQ(got.lse[i], 0.0f);
}

TEST(Attention, CausalQueriesDoNotReadWhatComesAfterThem) {
  Case c = make_case({.batch = 1,
                      .queries = 100,
                      .keys = 100,
                      .heads = 1,
                      .dim = 16,
                      .causal = true},
                     false);
  const Mask mask = random_mask(c.spec, true);
  const auto before = run<float>(c, mask.allowed.get(), c.q, c.k, c.v, c.d_o);
  for (size_t i = 71 * 16; i < 1600; ++i) c.k[i] = c.v[i] = 1e30f;
  const auto after = run<float>(c, mask.allowed.get(), c.q, c.k, c.v, c.d_o);
  for (size_t i = 0; i < 71 * 16; ++i) ASSERT_EQ(after.o[i], before.o[i]);
}

TEST(Attention, MaskedKeysMayHoldAnythingFinite) {
  Case c = make_case(
      {.batch = 1, .queries = 9, .keys = 12, .heads = 1, .dim = 8}, false);
  Mask mask = random_mask(c.spec, true);
  mask.allowed[3] = mask.allowed[11] = false;
  const auto before = run<float>(c, mask.allowed.get(), c.q, c.k, c.v, c.d_o);
  for (size_t d = 0; d < 8; ++d) {
    c.k[3 * 8 + d] = c.k[11 * 8 + d] = 1e30f;
    c.v[3 * 8 + d] = c.v[11 * 8 + d] = 1e30f;
  }
  const auto after = run<float>(c, mask.allowed.get(), c.q, c.k, c.v, c.d_o);
  EXPECT_EQ(after.o, before.o);
}

TEST(Attention, LargeScoresDoNotOverflow) {
  Case c = make_case(
      {.batch = 1, .queries = 8, .keys = 32, .heads = 1, .dim = 16}, false);
  for (float& x : c.q) x *= 300.0f;
  const Mask mask = random_mask(c.spec, true);
  const auto got = run<float>(c, mask.allowed.get(), c.q, c.k, c.v, c.d_o);
  for (const float x : got.o) EXPECT_TRUE(std::isfinite(x));
  for (const float x : got.dq) EXPECT_TRUE(std::isfinite(x));
}

TEST(Attention, BitsDoNotDependOnTheThreadCount) {
  for (const bool causal : {false, true}) {
    const Case c = make_case({.batch = 2,
                              .queries = 150,
                              .keys = causal ? 150 : 90,
                              .heads = 3,
                              .dim = 32,
                              .causal = causal,
                              .threshold = 6554},
                             false);
    const Mask mask = random_mask(c.spec, false);
    expect_thread_independent([&] {
      auto r = run<float>(c, mask.allowed.get(), c.q, c.k, c.v, c.d_o);
      r.o.insert(r.o.end(), r.dq.begin(), r.dq.end());
      r.o.insert(r.o.end(), r.dk.begin(), r.dk.end());
      r.o.insert(r.o.end(), r.dv.begin(), r.dv.end());
      return r.o;
    });
  }
}

TEST(Attention, MixedTypesAndBadSizesAreRefused) {
  const float* x = nullptr;
  const BFloat16* half = nullptr;
  float* out = nullptr;
  EXPECT_ERROR(attention({}, x, half, x, nullptr, out, out),
               Code::kInvalidArgument,
               "one type");
  EXPECT_ERROR(attention({.dim = 0}, x, x, x, nullptr, out, out),
               Code::kInvalidArgument,
               "dim at least 1");
  EXPECT_ERROR(attention({.queries = 2, .keys = 3, .dim = 1, .causal = true},
                         x,
                         x,
                         x,
                         nullptr,
                         out,
                         out),
               Code::kInvalidArgument,
               "as many queries as keys");
}

}  // namespace
}  // namespace kexue::kernels
