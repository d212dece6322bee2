#include "kexue/optim/clip.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/evaluate.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"
#include "tests/support/error_matchers.h"

namespace kexue::optim {
namespace {

using Form = ClipOptions::Form;
using Scope = ClipOptions::Scope;
using Numbers = std::vector<double>;

HostArray of(DType dtype, const Shape& shape, const Numbers& values) {
  return HostArray::from_doubles({dtype, shape}, values);
}

struct Result {
  Numbers grads;  // all in turn
  double norm;
};

Result run(const std::vector<HostArray>& grads,
           const ClipOptions& options,
           const std::vector<int64_t>& stacks = {}) {
  Graph g;
  const ir::Tracing tracing(g);
  Values in;
  for (const auto& a : grads) in.push_back(g.input(a.type()));
  const Clipped c = clip(in, options, stacks);
  Values out;
  for (const Value& x : c.grads) out.push_back(c.scale ? x * c.scale : x);
  out.push_back(c.norm);
  g.set_outputs(out);
  const auto arrays = ir::evaluate(g, grads);
  Result r;
  for (size_t i = 0; i < grads.size(); ++i) {
    for (const double x : arrays[i].to_doubles()) r.grads.push_back(x);
  }
  r.norm = arrays.back().at(0);
  return r;
}

const std::vector<HostArray> kTwo = {of(DType::kF64, {2}, {3, 4}),
                                     of(DType::kF64, {2}, {0, 12})};

void expect(const Result& got, const Numbers& want) {
  ASSERT_EQ(got.grads.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_NEAR(got.grads[i], want[i], 1e-15) << i;
  }
}

TEST(Clip, FormsAndScopesHaveTheirHandValues) {
  const double n = 13;
  expect(run(kTwo, {}), {3 / n, 4 / n, 0, 12 / n});
  expect(run(kTwo, {.form = Form::kSoft}), {3. / 14, 4. / 14, 0, 12. / 14});
  expect(run(kTwo, {.scope = Scope::kTensor}), {0.6, 0.8, 0, 1});
  expect(run(kTwo, {.form = Form::kValue, .limit = 3.5}), {3, 3.5, 0, 3.5});
  expect(run(kTwo, {.limit = 2, .eps = 1e-6}),
         {6 / (n + 1e-6), 8 / (n + 1e-6), 0, 24 / (n + 1e-6)});
  EXPECT_EQ(run(kTwo, {.scope = Scope::kTensor}).norm, 13);
}

TEST(Clip, SoftIsBetweenHalfOfHardAndHard) {
  for (const double r : {0.01, 0.5, 1.0, 2.0, 100.0}) {
    const std::vector<HostArray> g = {of(DType::kF64, {1}, {r})};
    const double soft = run(g, {.form = Form::kSoft}).grads[0];
    const double hard = run(g, {}).grads[0];
    EXPECT_NEAR(soft / hard, r <= 1 ? 1 / (1 + r) : r / (1 + r), 1e-15);
  }
}

TEST(Clip, NoLimitChangesNoBitAndZeroStaysZero) {
  for (const double limit : {0.0, HUGE_VAL}) {
    for (const Form form : {Form::kHard, Form::kSoft, Form::kValue}) {
      const auto got = run(kTwo, {.form = form, .limit = limit});
      EXPECT_EQ(got.grads, (Numbers{3, 4, 0, 12}));
    }
  }
  const std::vector<HostArray> zero = {HostArray(DType::kF64, {3})};
  for (const Scope scope : {Scope::kGlobal, Scope::kTensor}) {
    EXPECT_EQ(run(zero, {.scope = scope}).grads, (Numbers{0, 0, 0}));
    EXPECT_EQ(run(zero, {.form = Form::kSoft, .scope = scope}).grads,
              (Numbers{0, 0, 0}));
  }
}

TEST(Clip, TensorsOfAStackAreClippedByLayer) {
  const std::vector<HostArray> g = {of(DType::kF64, {2, 2}, {3, 4, 0, 12})};
  expect(run(g, {.scope = Scope::kTensor}, {1}), {0.6, 0.8, 0, 1});
  expect(run(g, {.scope = Scope::kTensor}, {0}),
         {3. / 13, 4. / 13, 0, 12. / 13});
}

TEST(Clip, BadOptionsAreErrors) {
  for (const double limit : {-1.0, std::nan("")}) {
    EXPECT_ERROR(run(kTwo, {.limit = limit}),
                 Code::kInvalidArgument,
                 "clip: wants a limit >= 0");
  }
  EXPECT_ERROR(
      run(kTwo, {.eps = -1}), Code::kInvalidArgument, "eps >= 0, got 1, -1");
  EXPECT_ERROR(clip_form_from_name("x"), Code::kInvalidArgument, "soft");
  EXPECT_ERROR(clip_scope_from_name("x"), Code::kInvalidArgument, "tensor");
}

}  // namespace
}  // namespace kexue::optim
