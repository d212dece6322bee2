#include "kexue/ops/ops.h"
#include "tests/conformance/cases.h"

namespace kexue::testing {
namespace {

using One = std::function<Value(const Value&)>;

void one(std::vector<Case>& cases,
         const std::string& id,
         const Shape& shape,
         const One& f) {
  cases.push_back(
      {id, {{shape}}, [f](const Values& x) -> Values { return {f(x[0])}; }});
}

}  // namespace

void add_shape_cases(std::vector<Case>& c) {
  using V = const Value&;
  one(c, "reshape", {4, 6}, [](V x) { return ops::reshape(x, {3, -1}); });
  one(c, "transpose/2d", {4, 6}, [](V x) { return ops::transpose(x, {1, 0}); });
  one(c, "transpose/4d", {2, 3, 4, 5}, [](V x) {
    return ops::transpose(x, {2, 0, 3, 1});
  });
  one(c, "broadcast_to", {3, 1}, [](V x) {
    return ops::broadcast_to(x, {2, 3, 4});
  });
  one(c, "slice", {5, 6}, [](V x) { return ops::slice(x, {1, 2}, {4, 6}); });
  one(c, "slice_axis", {5, 6}, [](V x) { return ops::slice_axis(x, 1, 1, 5); });
  one(c, "pad", {3, 4}, [](V x) { return ops::pad(x, {1, 0}, {2, 3}, 0.5); });
  one(c, "reverse", {3, 4}, [](V x) { return ops::reverse(x, {0, 1}); });
  c.push_back({"concatenate",
               {{{2, 3}}, {{2, 1}}, {{2, 4}}},
               [](const Values& x) -> Values {
                 return {ops::concatenate({x[0], x[1], x[2]}, 1)};
               }});
  c.push_back({"dynamic_slice",
               {{{5, 6}}, {.shape = {}, .dtype = DType::kI32, .values = {2}}},
               [](const Values& x) -> Values {
                 return {ops::dynamic_slice(x[0], {x[1], x[1]}, {3, 2})};
               }});
  c.push_back(
      {"dynamic_update_slice",
       {{{5, 6}}, {{2, 3}}, {.shape = {}, .dtype = DType::kI32, .values = {1}}},
       [](const Values& x) -> Values {
         return {ops::dynamic_update_slice(x[0], x[1], {x[2], x[2]})};
       }});
}

void add_reduce_cases(std::vector<Case>& c) {
  using V = const Value&;
  struct Form {
    const char* name;
    ops::Axes axes;
    bool keep;
  };
  struct Reduction {
    const char* name;
    Value (*f)(const Arg&, const ops::Axes&, bool);
  };
  for (const auto& r : {Reduction{"sum", ops::sum},
                        Reduction{"max", ops::max},
                        Reduction{"min", ops::min},
                        Reduction{"mean", ops::mean},
                        Reduction{"prod", ops::prod},
                        Reduction{"logsumexp", ops::logsumexp},
                        Reduction{"norm", ops::norm},
                        Reduction{"std_dev", ops::std_dev},
                        Reduction{"variance", ops::variance}}) {
    for (const auto& form : {Form{"all", {}, false},
                             Form{"axis1", {1}, false},
                             Form{"axes02_keep", {0, 2}, true}}) {
      one(c, std::string(r.name) + "/" + form.name, {3, 4, 5}, [=](V x) {
        return r.f(x, form.axes, form.keep);
      });
    }
  }
  struct Running {
    const char* name;
    Value (*f)(const Arg&, int64_t, bool);
  };
  for (const auto& r : {Running{"cumsum", ops::cumsum},
                        Running{"cumprod", ops::cumprod},
                        Running{"cummax", ops::cummax},
                        Running{"cummin", ops::cummin},
                        Running{"cumlogsumexp", ops::cumlogsumexp}}) {
    one(c, std::string(r.name) + "/axis1", {3, 9}, [=](V x) {
      return r.f(x, 1, false);
    });
    one(c, std::string(r.name) + "/reverse", {9, 3}, [=](V x) {
      return r.f(x, 0, true);
    });
  }
  c.push_back({"argmin",
               {{{4, 6}}},
               [](const Values& x) -> Values { return {ops::argmin(x[0], 0)}; },
               false});
  c.push_back({"argmax",
               {{{4, 6}}},
               [](const Values& x) -> Values { return {ops::argmax(x[0], 1)}; },
               false});
}

}  // namespace kexue::testing
