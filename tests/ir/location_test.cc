// Mistakes in user code name the user's line, and so do nodes: here the lines
// of this file.
#include "kexue/ir/location.h"

#include <gtest/gtest.h>

#include <functional>

#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"

namespace kexue::ir {
namespace {

// "location_test.cc:N" of the caller.
std::string here(
    const std::source_location& at = std::source_location::current()) {
  return to_string(at);
}

// The error of f; fails if there is none.
Error error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {Code::kInternal, ""};
}

class Location : public ::testing::Test {
 protected:
  Graph g_;
  Tracing tracing_{g_};
  Value x_ = g_.input({DType::kF32, {2, 3}});
  Value y_ = g_.input({DType::kF32, {4}});
  Value n_ = g_.input({DType::kI32, {2, 3}});
};

TEST_F(Location, OfAnOperatorsShapeMistake) {
  std::string line;
  const Error e = error_of([&] { line = here(), x_ + y_; });
  EXPECT_EQ(e.text(), "add: shapes [2,3] and [4] do not broadcast");
  EXPECT_EQ(e.line(), line);
  EXPECT_EQ(line.substr(0, 17), "location_test.cc:");
  EXPECT_NE(std::string(e.what()).find("\nat " + line), std::string::npos);
}

TEST_F(Location, OfADtypeMistakeAndItsScope) {
  const Scope scope("encoder");
  std::string line;
  const Error e = error_of([&] { line = here(), x_ * n_; });
  EXPECT_EQ(e.line(), line);
  EXPECT_EQ(e.scope(), "encoder");
}

TEST_F(Location, OfFunctions) {
  std::string line;
  const auto check = [&](const std::function<void()>& f) {
    const Error e = error_of(f);
    EXPECT_EQ(e.line(), line) << e.what();
    EXPECT_EQ(e.code(), Code::kInvalidArgument);
  };
  check([&] { line = here(), ops::exp(n_); });
  check([&] { line = here(), ops::reshape(x_, {7}); });
  check([&] { line = here(), ops::matmul(x_, y_); });
  check([&] { line = here(), ops::sum(x_, {5}); });
  check([&] { line = here(), ops::slice_axis(x_, 4, 0, 1); });
  check([&] { line = here(), ops::clamp(x_, 1, 0); });
  check([&] { line = here(), ops::any(x_); });
  check([&] { line = here(), ops::argmax(x_, 2); });
  check([&] { line = here(), ops::cumsum(x_, 2); });
  check([&] { line = here(), ops::select(x_, x_, x_); });
  check([&] { line = here(), ops::select(x_, x_, y_); });
}

TEST_F(Location, OfACallIsTheUsersNotTheLibrarys) {
  std::string line;
  // softmax fails inside a max that it calls itself.
  const Error e = error_of([&] { line = here(), ops::softmax(x_, 3); });
  EXPECT_EQ(e.line(), line);
  const size_t before = g_.nodes().size();
  line = here(), ops::softmax(x_, 1);
  EXPECT_GT(g_.nodes().size(), before + 3);
  for (size_t i = before; i < g_.nodes().size(); ++i) {
    EXPECT_EQ(to_string(g_.nodes()[i]->where), line) << g_.nodes()[i]->op->name;
  }
}

TEST_F(Location, EndsWithTheCall) {
  error_of([&] { ops::exp(n_); });
  ops::exp(x_);
  EXPECT_EQ(current_location().line(), 0u);
  EXPECT_EQ(to_string(current_location()), "");
  EXPECT_EQ(g_.input({DType::kF32, {}}).node()->where.line(), 0u);
}

TEST_F(Location, OfAGradientNodeIsThatOfItsForwardNode) {
  const auto [h, tanh_line] = std::pair(ops::tanh(x_), here());
  const auto [loss, sum_line] = std::pair(ops::sum(h), here());
  const size_t forward = g_.nodes().size();
  transforms::gradients(loss, {x_});
  size_t from_tanh = 0;
  size_t from_sum = 0;
  for (size_t i = forward; i < g_.nodes().size(); ++i) {
    const std::string at = to_string(g_.nodes()[i]->where);
    from_tanh += at == tanh_line;
    from_sum += at == sum_line;
    EXPECT_TRUE(at.empty() || at == tanh_line || at == sum_line) << at;
  }
  EXPECT_GE(from_tanh, 3u);  // dy (1 - y^2)
  EXPECT_GE(from_sum, 1u);   // a broadcast
}

TEST_F(Location, OfASecondGradientIsStillTheForwardOne) {
  const auto [h, line] = std::pair(ops::tanh(x_), here());
  const Value g = transforms::gradients(ops::sum(h), {x_})[0];
  const size_t before = g_.nodes().size();
  transforms::gradients(ops::sum(g), {x_});
  size_t from_tanh = 0;
  for (size_t i = before; i < g_.nodes().size(); ++i) {
    from_tanh += to_string(g_.nodes()[i]->where) == line;
  }
  EXPECT_GE(from_tanh, 3u);
}

TEST_F(Location, OfAMissingDerivativeIsThatOfTheNode) {
  const auto cast = [](const Value& v) {
    return std::pair(ops::bitcast_convert(v, DType::kF32), here());
  };
  const auto [y, line] = cast(x_);
  const Value loss = ops::sum(y);
  const Error e = error_of([&] { transforms::gradients(loss, {x_}); });
  EXPECT_EQ(e.code(), Code::kUnsupported);
  EXPECT_EQ(e.text(),
            "bitcast_convert: no derivative rule (order 1 is missing)");
  EXPECT_EQ(e.line(), line);
}

}  // namespace
}  // namespace kexue::ir
