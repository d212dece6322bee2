#include "kexue/ops/gather.h"

#include <gtest/gtest.h>

#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/batch.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {
namespace {

using ops::Combine;
using ops::GatherDims;
using Doubles = std::vector<double>;

constexpr Code kBad = Code::kInvalidArgument;

HostArray f64(const Shape& s, const Doubles& v) {
  return HostArray::from_doubles({DType::kF64, s}, v);
}

HostArray i32(const Shape& s, const std::vector<int32_t>& v) {
  return HostArray::of<int32_t>(s, v);
}

// Cotangents of x and the updates when they are put at ids, dy = 1, 10, 100...
std::vector<HostArray> put_gradients(Combine how,
                                     const Doubles& x,
                                     const std::vector<int32_t>& ids,
                                     const Doubles& updates) {
  const auto n = static_cast<int64_t>(x.size());
  const auto m = static_cast<int64_t>(ids.size());
  Doubles dy = {1};
  while (dy.size() < x.size()) dy.push_back(dy.back() * 10);
  return evaluate_at(
      [&](const Values& v) {
        const Value y = ops::put_along_axis(v[0], v[1], v[2], 0, how);
        return transforms::gradients(ops::sum(y * ops::constant(f64({n}, dy))),
                                     {v[0], v[2]});
      },
      {f64({n}, x), i32({m}, ids), f64({m}, updates)});
}

TEST(Scatter, SetSendsTheCotangentToTheLastOfRepeats) {
  const auto g = put_gradients(
      Combine::kSet, {1, 2, 3}, {1, 0, 1, 5, -1}, {7, 8, 9, 4, 4});
  EXPECT_EQ(g[0].to_doubles(), (Doubles{0, 0, 100}));
  EXPECT_EQ(g[1].to_doubles(), (Doubles{0, 1, 10, 0, 0}));
}

TEST(Scatter, MaxAndMinShareTheCotangentBetweenTies) {
  // Element 0: x and two updates tie. Element 1: two updates beat x. Element
  // 2: x wins. Outside indices hold winning values and get nothing.
  const std::vector<int32_t> ids = {0, 0, 1, 1, 2, 3, -1};
  const auto max = put_gradients(
      Combine::kKeepLarger, {4, 0, 9}, ids, {4, 4, 5, 5, 8, 99, 99});
  EXPECT_EQ(max[0].to_doubles(), (Doubles{1.0 / 3, 0, 100}));
  EXPECT_EQ(max[1].to_doubles(), (Doubles{1.0 / 3, 1.0 / 3, 5, 5, 0, 0, 0}));
  const auto min = put_gradients(
      Combine::kKeepSmaller, {-4, 0, -9}, ids, {-4, -4, -5, -5, -8, -99, -99});
  EXPECT_EQ(min[0].to_doubles(), max[0].to_doubles());
  EXPECT_EQ(min[1].to_doubles(), max[1].to_doubles());
}

TEST(Scatter, GradientAtNanIsZero) {
  const auto g =
      put_gradients(Combine::kKeepLarger, {NAN, 1}, {0, 1}, {2, NAN});
  EXPECT_EQ(g[0].to_doubles(), (Doubles{0, 0}));
  EXPECT_EQ(g[1].to_doubles(), (Doubles{0, 0}));
}

TEST(Scatter, MultiplyHasNoDerivativeAndSaysSo) {
  Graph g;
  const ir::Tracing tracing(g);
  const Value x = g.input({DType::kF32, {3}});
  const Value ids = g.input({DType::kI32, {2}});
  const Value u = g.input({DType::kF32, {2}});
  const Value y = ops::put_along_axis(x, ids, u, 0, Combine::kMultiplyBy);
  EXPECT_ERROR(transforms::gradients(ops::sum(y), {x}),
               Code::kUnsupported,
               "scatter: combining by multiply has no derivative");
}

// The batch sweep has one input batched, and all three.
TEST(Scatter, OfABatchThatSharesItsIndicesOrX) {
  const auto normal = [](const Shape& s, uint64_t seed) {
    return random_normal({DType::kF64, s}, Key::from_seed(seed));
  };
  const auto f = [](const Values& v) -> Values {
    const GatherDims blocks{
        .offset = {1, 2}, .collapsed = {}, .index_map = {0}, .index_vector = 1};
    return {ops::scatter(v[0], v[1], v[2], blocks, Combine::kSet)};
  };
  const std::vector<HostArray> x = {normal({4, 2}, 1), normal({2, 4, 2}, 2)};
  const std::vector<HostArray> ids = {i32({3, 1}, {1, 9, 0}),
                                      i32({2, 3, 1}, {1, 9, 0, 2, 2, -1})};
  const auto u = normal({2, 3, 2, 2}, 3);
  const auto part = [](const HostArray& a, size_t b) {
    auto dims = a.shape().dims();
    dims.erase(dims.begin());
    HostArray out(a.dtype(), Shape(dims));
    std::copy_n(a.data() + b * out.bytes(), out.bytes(), out.mutable_data());
    return out;
  };
  for (const size_t k : {0, 1}) {  // which of x and ids is shared
    const std::vector<int64_t> axes = {
        k == 0 ? transforms::kShared : 0, k == 0 ? 0 : transforms::kShared, 0};
    const auto y =
        evaluate_at(transforms::batch(f, axes), {x[k], ids[1 - k], u});
    for (const size_t b : {0, 1}) {
      const auto one = evaluate_at(f,
                                   {k == 0 ? x[0] : part(x[1], b),
                                    k == 0 ? part(ids[1], b) : ids[0],
                                    part(u, b)});
      EXPECT_TRUE(part(y[0], b).identical(one[0])) << k << b;
    }
  }
}

class GatherErrors : public ::testing::Test {
 protected:
  void gather(const GatherDims& d, const std::vector<int64_t>& sizes) {
    ops::gather(x_, ids_, d, sizes);
  }

  Graph g_;
  ir::Tracing tracing_{g_};
  Value x_ = g_.input({DType::kF32, {4, 5}});
  Value ids_ = g_.input({DType::kI32, {3, 2}});
};

TEST_F(GatherErrors, NameTheNumberThatIsWrong) {
  EXPECT_ERROR(ops::gather(x_, x_, {}, {1, 1}), kBad, "gather: wants i32");
  EXPECT_ERROR(gather({.index_vector = 3}, {1, 1}), kBad, "no index_vector 3");
  EXPECT_ERROR(gather({.index_map = {0}, .index_vector = 1}, {1, 1}),
               kBad,
               "index_map wants 2 dims",
               "f32[4,5] and i32[3,2]");
  EXPECT_ERROR(gather({.index_map = {0, 2}, .index_vector = 1}, {1, 1}),
               kBad,
               "index_map has 2, beyond 2 dims");
  EXPECT_ERROR(gather({.index_map = {0, 0}, .index_vector = 1}, {1, 1}),
               kBad,
               "wants distinct index_map");
  EXPECT_ERROR(
      gather({.collapsed = {1, 0}, .index_map = {0, 1}, .index_vector = 1},
             {1, 1}),
      kBad,
      "wants ascending collapsed");
  EXPECT_ERROR(
      gather({.offset = {1, 0}, .index_map = {0, 1}, .index_vector = 1},
             {1, 1}),
      kBad,
      "wants ascending offset");
  EXPECT_ERROR(
      gather({.offset = {1}, .index_map = {0, 1}, .index_vector = 1}, {1, 1}),
      kBad,
      "offset wants 2 dims");
}

TEST_F(GatherErrors, BatchDims) {
  EXPECT_ERROR(
      gather({.index_map = {1}, .index_vector = 2, .x_batch = {0}}, {1, 1}),
      kBad,
      "x_batch and index_batch want one length");
  EXPECT_ERROR(gather({.index_map = {1},
                       .index_vector = 2,
                       .x_batch = {0},
                       .index_batch = {0}},
                      {1, 1}),
               kBad,
               "batch dims must agree");
  EXPECT_ERROR(gather({.index_map = {0},
                       .index_vector = 2,
                       .x_batch = {0},
                       .index_batch = {0}},
                      {1, 1}),
               kBad,
               "another role");
}

TEST_F(GatherErrors, Blocks) {
  const GatherDims d{
      .offset = {1}, .collapsed = {0}, .index_map = {0, 1}, .index_vector = 1};
  EXPECT_ERROR(gather(d, {1}), kBad, "a block size per dim of x");
  EXPECT_ERROR(gather(d, {1, 6}), kBad, "a block of 6 along dim 1");
  EXPECT_ERROR(gather(d, {2, 2}), kBad, "size 1 in collapsed and batch dims");
  const auto scatter = [&](DType t, const Shape& s) {
    ops::scatter(x_, ids_, g_.input({t, s}), d, Combine::kAddTo);
  };
  EXPECT_ERROR(scatter(DType::kF64, {3, 2}), kBad, "updates do not fit");
  EXPECT_ERROR(scatter(DType::kF32, {3}), kBad, "updates do not fit");
  EXPECT_ERROR(scatter(DType::kF32, {2, 2}), kBad, "updates do not fit");
  EXPECT_ERROR(scatter(DType::kF32, {3, 6}),
               kBad,
               "scatter: updates do not fit",
               "f32[4,5] and i32[3,2] and f32[3,6]");
}

TEST_F(GatherErrors, AlongAnAxis) {
  EXPECT_ERROR(ops::take(x_, ids_, 2), kBad, "take");
  EXPECT_ERROR(ops::take_along_axis(x_, ids_, 1),
               kBad,
               "take_along_axis: dims other than axis 1 must agree, got "
               "f32[4,5] and i32[3,2]");
  EXPECT_ERROR(ops::put_along_axis(x_, ids_, x_, 0),
               kBad,
               "put_along_axis: dims other than axis 0 must agree");
}

}  // namespace
}  // namespace kexue::testing
