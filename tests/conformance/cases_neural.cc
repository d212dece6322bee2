#include "kexue/ops/ops.h"
#include "tests/conformance/cases.h"

namespace kexue::testing {
namespace {

Value key() {
  return ops::constant(HostArray::of<uint32_t>({2}, {1, 2}));
}

}  // namespace

void add_neural_cases(std::vector<Case>& c) {
  const auto one =
      [&](const std::string& id, const Shape& shape, Value (*f)(const Value&)) {
        c.push_back({id, {{shape, -4, 4}}, [f](const Values& x) -> Values {
                       return {f(x[0])};
                     }});
      };
  one("softmax/last", {3, 7}, [](const Value& x) { return ops::softmax(x); });
  one("softmax/axis0", {3, 7}, [](const Value& x) {
    return ops::softmax(x, 0);
  });
  one("log_softmax", {3, 7}, [](const Value& x) {
    return ops::log_softmax(x);
  });
  c.push_back({"layer_norm",
               {{{4, 3, 32}}, {{32}}, {{32}}},
               [](const Values& x) -> Values {
                 return {ops::layer_norm(x[0], x[1], x[2], 1e-5)};
               }});
  c.push_back({"attention",
               {{{2, 9, 4, 16}}, {{2, 9, 4, 16}}, {{2, 9, 4, 16}}},
               [](const Values& x) -> Values {
                 const Value mask =
                     ops::full({DType::kBool, {x[0].dim(0), x[1].dim(1)}}, 1);
                 return {
                     ops::attention(x[0], x[1], x[2], mask, key(), 0.25, 0)};
               }});
  c.push_back({"attention/masked",
               {{{2, 6, 2, 8}},
                {{2, 6, 2, 8}},
                {{2, 6, 2, 8}},
                {.shape = {2, 6},
                 .dtype = DType::kBool,
                 .values = {1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1}}},
               [](const Values& x) -> Values {
                 return {ops::attention(x[0], x[1], x[2], x[3], key(), 0.5, 0)};
               }});
  c.push_back(
      {"attention/causal",
       {{{2, 21, 2, 16}}, {{2, 21, 2, 16}}, {{2, 21, 2, 16}}},
       [](const Values& x) -> Values {
         const Value mask =
             ops::full({DType::kBool, {x[0].dim(0), x[1].dim(1)}}, 1);
         return {ops::attention(x[0], x[1], x[2], mask, key(), 0.25, 0, true)};
       }});
  for (const bool silu : {false, true}) {
    c.push_back({silu ? "group_norm/silu" : "group_norm",
                 {{{2, 5, 4, 12}}, {{12}}, {{12}}},
                 [silu](const Values& x) -> Values {
                   return {ops::group_norm(x[0], x[1], x[2], 3, 1e-5, silu)};
                 }});
  }
  c.push_back(
      {"softmax_cross_entropy",
       {{{5, 37}, -8, 8},
        {.shape = {5}, .dtype = DType::kI32, .values = {0, 36, -1, 17, 5}}},
       [](const Values& x) -> Values {
         return {ops::softmax_cross_entropy(x[0], x[1])};
       }});
  c.push_back({"column_sum", {{{3, 7, 11}}}, [](const Values& x) -> Values {
                 return {ops::column_sum(x[0])};
               }});
}

}  // namespace kexue::testing
