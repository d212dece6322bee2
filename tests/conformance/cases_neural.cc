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
}

}  // namespace kexue::testing
