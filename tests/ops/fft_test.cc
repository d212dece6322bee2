// Fourier transforms: identities, the lengths, the shifts, errors. Values and
// gradients are in the sweep (rows_fft.cc).
#include <gtest/gtest.h>

#include <numeric>

#include "tests/ops/complex_rows.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

constexpr Code kBad = Code::kInvalidArgument;

HostArray random_of(DType d, const Shape& shape) {
  return random_normal({d, shape}, Key::from_seed(12));
}

double squares(const HostArray& a) {
  double s = 0;
  for (const double v : parts(a)) s += v * v;
  return s;
}

TEST(Fft, KeepsTheSumOfSquares) {
  // sum |x|^2 = 1/n sum |X|^2 (Parseval)
  const auto x = random_of(DType::kC128, {3, 8, 5});
  const auto y = evaluate_at(
      [](const Values& v) {
        return Values{ops::fft(v[0], {8, 5})};
      },
      {x});
  EXPECT_NEAR(squares(y[0]) / 40, squares(x), 1e-11);
}

TEST(Fft, InversesGiveBackWhatWentIn) {
  for (const Shape& s : {Shape{1}, Shape{2}, Shape{7}, Shape{12}, Shape{64}}) {
    const auto z = random_of(DType::kC128, s);
    const auto x = random_of(DType::kF64, s);
    const auto y = evaluate_at(
        [&](const Values& v) {
          return Values{ops::ifft(ops::fft(v[0])),
                        ops::irfft(ops::rfft(v[1]), {s[0]})};
        },
        {z, x});
    EXPECT_TRUE(close(y[0], z)) << s.str();
    EXPECT_TRUE(close(y[1], x)) << s.str();
  }
}

TEST(Fft, TurnsCyclicConvolutionIntoProducts) {
  // y[k] = sum_j a[j] b[(k - j) mod 5]
  const auto a = random_of(DType::kF64, {5});
  const auto b = HostArray::of<double>({5}, {1, -2, 0, 4, 0.5});
  const auto y = evaluate_at(
      [](const Values& v) {
        return Values{ops::irfft(ops::rfft(v[0]) * ops::rfft(v[1]), {5})};
      },
      {a, b});
  for (int64_t k = 0; k < 5; ++k) {
    double want = 0;
    for (int64_t j = 0; j < 5; ++j) want += a.at(j) * b.at((k - j + 5) % 5);
    EXPECT_NEAR(y[0].at(k), want, 1e-13);
  }
}

// By hand, as numpy.fft defines them.
TEST(Fft, CutsAndFillsUpToTheLengths) {
  const auto x = HostArray::of<double>({4}, {1, 2, 3, 4});
  const auto y = evaluate_at(
      [](const Values& v) {
        return Values{ops::fft(v[0], {2}),
                      ops::fft(v[0], {6}),
                      ops::rfft(v[0], {5}),
                      ops::irfft(v[0]),
                      ops::irfft(v[0], {3})};
      },
      {x});
  const double r = std::sqrt(3.0);
  EXPECT_TRUE(close(y[0], HostArray::of<Complex>({2}, {3, -1})));
  EXPECT_TRUE(close(y[1],
                    HostArray::of<Complex>({6},
                                           {10,
                                            {-3.5, -2.5 * r},
                                            {2.5, 0.5 * r},
                                            -2,
                                            {2.5, -0.5 * r},
                                            {-3.5, 2.5 * r}})));
  EXPECT_TRUE(
      close(y[2],
            HostArray::of<Complex>({3},
                                   {10,
                                    {-4.045084971874736, -1.314327780297834},
                                    {1.545084971874737, -2.126627020880097}}),
            {1e-14, 1e-14}));
  EXPECT_TRUE(close(
      y[3],
      HostArray::of<double>({6}, {2.5, -2. / 3, 0, -1. / 6, 0, -2. / 3})));
  EXPECT_TRUE(
      close(y[4], HostArray::of<double>({3}, {5. / 3, -1. / 3, -1. / 3})));
}

TEST(Fft, HasGradientsThroughCutsAndFills) {
  const auto check = [](const std::function<Value(const Value&)>& f) {
    EXPECT_TRUE(check_grads(
        [&](const Values& x) { return weighted_sum({f(x[0] * x[0])}); },
        {random_of(DType::kF64, {2, 5})},
        2));
  };
  check([](const Value& x) { return ops::fft(x); });
  check([](const Value& x) { return ops::ifft(x, {8}); });
  check([](const Value& x) { return ops::rfft(x, {3, 4}); });
  check([](const Value& x) { return ops::irfft(x, {7}); });
  check([](const Value& x) { return ops::irfft(ops::rfft(x, {4}), {4}); });
}

TEST(Fft, ShiftsAsNumPyDoes) {
  const auto x = HostArray::of<double>({2, 5}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  const auto y = evaluate_at(
      [](const Values& v) {
        return Values{ops::fftshift(v[0], {1}),
                      ops::ifftshift(v[0], {-1}),
                      ops::fftshift(v[0]),
                      ops::ifftshift(ops::fftshift(v[0]))};
      },
      {x});
  EXPECT_EQ(y[0].to_doubles(), (Doubles{3, 4, 0, 1, 2, 8, 9, 5, 6, 7}));
  EXPECT_EQ(y[1].to_doubles(), (Doubles{2, 3, 4, 0, 1, 7, 8, 9, 5, 6}));
  EXPECT_EQ(y[2].to_doubles(), (Doubles{8, 9, 5, 6, 7, 3, 4, 0, 1, 2}));
  EXPECT_TRUE(y[3].identical(x));
}

TEST(Fft, RefusesLengthsAndDtypes) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {2, 4}});
  const Value z = g.input({DType::kC64, {2, 4}});
  EXPECT_ERROR(ops::fft(x, {2, 2, 4}),
               kBad,
               "fft: wants 1 to 3 lengths >= 1",
               "got [2,2,4] for f32[2,4]");
  EXPECT_ERROR(ops::ifft(g.input({DType::kC64, {1, 1, 1, 1}}), {1, 1, 1, 1}),
               kBad,
               "ifft: wants 1 to 3 lengths");
  EXPECT_ERROR(ops::rfft(x, {0}), kBad, "rfft: wants 1 to 3 lengths >= 1");
  EXPECT_ERROR(ops::rfft(g.input({DType::kF32, {0}})), kBad, "rfft: wants 1");
  EXPECT_ERROR(ops::irfft(g.input({DType::kC64, {1}})),
               kBad,
               "irfft: wants 1 to 3 lengths >= 1",
               "got [0] for c64[1]");
  EXPECT_ERROR(ops::fft(g.input({DType::kF32, {}})), kBad, "got [] for f32[]");
  EXPECT_ERROR(ops::rfft(z), kBad, "fft: wants f32 or f64, got c64[2,4]");
  EXPECT_ERROR(ops::fft(g.input({DType::kBF16, {4}})),
               kBad,
               "bf16 has no complex dtype",
               "convert to f32 or f64 first");
  EXPECT_ERROR(ops::fftshift(x, {2}), kBad, "fftshift");
}

}  // namespace
}  // namespace kexue::testing
