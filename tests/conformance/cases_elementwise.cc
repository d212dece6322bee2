#include "kexue/ops/ops.h"
#include "tests/conformance/cases.h"

namespace kexue::testing {
namespace {

using Unary = Value (*)(const Arg&);
using Binary = Value (*)(const Arg&, const Value&);

struct Range {
  double low;
  double high;
};

void unary(std::vector<Case>& cases,
           const std::string& id,
           Unary f,
           Range r,
           bool gradient = true) {
  cases.push_back({id,
                   {{.shape = {3, 17}, .low = r.low, .high = r.high}},
                   [f](const Values& x) -> Values { return {f(x[0])}; },
                   gradient});
}

// Once with equal shapes, once broadcast.
void binary(std::vector<Case>& cases,
            const std::string& id,
            Binary f,
            Range a,
            Range b,
            bool gradient = true) {
  const auto build = [f](const Values& x) -> Values { return {f(x[0], x[1])}; };
  cases.push_back({id,
                   {{.shape = {4, 9}, .low = a.low, .high = a.high},
                    {.shape = {4, 9}, .low = b.low, .high = b.high}},
                   build,
                   gradient});
  cases.push_back({id + "/broadcast",
                   {{.shape = {2, 1, 9}, .low = a.low, .high = a.high},
                    {.shape = {4, 1}, .low = b.low, .high = b.high}},
                   build,
                   gradient});
}

}  // namespace

void add_elementwise_cases(std::vector<Case>& c) {
  unary(c, "negate", ops::negate, {-3, 3});
  unary(c, "abs", ops::abs, {-3, 3});
  unary(c, "sign", ops::sign, {-3, 3});
  unary(c, "exp", ops::exp, {-5, 5});
  unary(c, "expm1", ops::expm1, {-1, 1});
  unary(c, "log", ops::log, {0.1, 9});
  unary(c, "log1p", ops::log1p, {-0.9, 4});
  unary(c, "logistic", ops::logistic, {-8, 8});
  unary(c, "tanh", ops::tanh, {-4, 4});
  unary(c, "erf", ops::erf, {-3, 3});
  unary(c, "sqrt", ops::sqrt, {0.1, 9});
  unary(c, "rsqrt", ops::rsqrt, {0.1, 9});
  unary(c, "sin", ops::sin, {-6, 6});
  unary(c, "cos", ops::cos, {-6, 6});
  unary(c, "floor", ops::floor, {-6, 6});
  unary(c, "ceil", ops::ceil, {-6, 6});
  unary(c, "is_finite", ops::is_finite, {-6, 6}, false);
  unary(c, "stop_gradient", ops::stop_gradient, {-6, 6});
  unary(c, "gelu", ops::gelu, {-5, 5});
  unary(c, "gelu_tanh", ops::gelu_tanh, {-5, 5});
  unary(c, "relu", ops::relu, {-5, 5});
  unary(c, "square", ops::square, {-3, 3});
  unary(c, "reciprocal", ops::reciprocal, {0.5, 3});
  unary(c, "softplus", ops::softplus, {-30, 30});
  unary(c, "log_sigmoid", ops::log_sigmoid, {-30, 30});
  unary(c, "sinh", ops::sinh, {-3, 3});
  unary(c, "cosh", ops::cosh, {-3, 3});
  unary(c, "asinh", ops::asinh, {-5, 5});
  unary(c, "acosh", ops::acosh, {1.2, 5});
  unary(c, "atanh", ops::atanh, {-0.9, 0.9});
  unary(c, "erfc", ops::erfc, {-2, 2});
  unary(c, "erf_inv", ops::erf_inv, {-0.95, 0.95});
  unary(c, "tan", ops::tan, {-1.2, 1.2});
  unary(c, "asin", ops::asin, {-0.9, 0.9});
  unary(c, "acos", ops::acos, {-0.9, 0.9});
  unary(c, "atan", ops::atan, {-5, 5});
  unary(c, "round", ops::round, {-6, 6});
  unary(c, "trunc", ops::trunc, {-6, 6});
  binary(c, "logaddexp", ops::logaddexp, {-9, 9}, {-9, 9});
  binary(c, "add", ops::add, {-3, 3}, {-3, 3});
  binary(c, "subtract", ops::subtract, {-3, 3}, {-3, 3});
  binary(c, "multiply", ops::multiply, {-3, 3}, {-3, 3});
  binary(c, "divide", ops::divide, {-3, 3}, {0.5, 3});
  binary(c, "remainder", ops::remainder, {-9, 9}, {0.5, 3}, false);
  binary(c, "maximum", ops::maximum, {-3, 3}, {-3, 3});
  binary(c, "minimum", ops::minimum, {-3, 3}, {-3, 3});
  binary(c, "pow", ops::pow, {0.2, 3}, {-2, 2});
  binary(c, "atan2", ops::atan2, {-3, 3}, {-3, 3});
  binary(c, "equal", ops::equal, {-3, 3}, {-3, 3}, false);
  binary(c, "less", ops::less, {-3, 3}, {-3, 3}, false);
  binary(c, "greater_equal", ops::greater_equal, {-3, 3}, {-3, 3}, false);
  c.push_back({"clamp", {{{4, 9}, -3, 3}}, [](const Values& x) -> Values {
                 return {ops::clamp(x[0], -1.0, 1.5)};
               }});
  c.push_back({"select",
               {{{3, 5}, 0, 2, DType::kBool}, {{3, 5}}, {{5}}},
               [](const Values& x) -> Values {
                 return {ops::select(x[0], x[1], x[2])};
               }});
}

}  // namespace kexue::testing
