#include "kexue/ops/ops.h"
#include "tests/conformance/cases.h"

namespace kexue::testing {
namespace {

void einsum(std::vector<Case>& cases,
            const std::string& spec,
            const Shape& a,
            const Shape& b) {
  cases.push_back(
      {"einsum/" + spec, {{a}, {b}}, [spec](const Values& x) -> Values {
         return {ops::einsum(spec, x[0], x[1])};
       }});
}

}  // namespace

void add_product_cases(std::vector<Case>& c) {
  einsum(c, "ij,jk->ik", {5, 7}, {7, 3});
  einsum(c, "ij,kj->ik", {5, 7}, {3, 7});
  einsum(c, "ji,jk->ik", {7, 5}, {7, 3});
  einsum(c, "i,i->", {9}, {9});
  einsum(c, "i,j->ij", {4}, {6});
  einsum(c, "bij,bjk->bik", {3, 4, 5}, {3, 5, 2});
  einsum(c, "btd,de->bte", {2, 5, 8}, {8, 6});
  einsum(c, "bthd,bshd->bhts", {2, 5, 3, 4}, {2, 6, 3, 4});
  einsum(c, "bhts,bshd->bthd", {2, 3, 5, 6}, {2, 6, 3, 4});
  einsum(c, "abc,cb->ac", {2, 3, 4}, {4, 3});
  c.push_back({"einsum/bias",
               {{{2, 5, 8}}, {{8, 6}}, {{6}}},
               [](const Values& x) -> Values {
                 return {ops::einsum("btd,de->bte", x[0], x[1], x[2])};
               }});
  c.push_back(
      {"matmul", {{{3, 4, 5}}, {{5, 6}}}, [](const Values& x) -> Values {
         return {ops::matmul(x[0], x[1])};
       }});
  c.push_back({"scan/linear_recurrence",
               {{{6, 4}, 0.2, 0.9}, {{6, 4}}},
               [](const Values& x) -> Values {
                 const auto r = ops::scan(
                     [](const Values& h, const Values& s) {
                       const Value next = h[0] * s[0] + s[1];
                       return std::pair(Values{next}, Values{ops::tanh(next)});
                     },
                     {ops::full({x[0].dtype(), {4}}, 0)},
                     {x[0], x[1]});
                 return {r.carry[0], r.ys[0]};
               }});
}

void add_control_cases(std::vector<Case>& c) {
  c.push_back(
      {"cond", {{{7}}}, [](const Values& x) -> Values {
         const Value some = ops::sum(x[0]);
         return {ops::cond(
             ops::greater(some, ops::zeros_like(some)),
             [&](const Values&) -> Values { return {x[0] * x[0]}; },
             [&](const Values&) -> Values { return {ops::exp(x[0])}; })};
       }});
  c.push_back({"fori/newton", {{{7}, 0.5, 4}}, [](const Values& x) -> Values {
                 return ops::fori(6,
                                  [&](const Value&, const Values& y) -> Values {
                                    return {0.5 * (y[0] + x[0] / y[0])};
                                  },
                                  {ops::ones_like(x[0])});
               }});
  c.push_back({"map", {{{3, 4, 4}}}, [](const Values& x) -> Values {
                 return ops::map(
                     [](const Values& m) -> Values {
                       return {ops::matmul(m[0], m[0])};
                     },
                     x);
               }});
  c.push_back({"remat", {{{3, 4}}, {{4, 5}}}, [](const Values& x) -> Values {
                 return ops::remat(
                     [](const Values& v) -> Values {
                       return {ops::tanh(ops::matmul(v[0], v[1]))};
                     },
                     x,
                     ops::RematPolicy::save_nothing());
               }});
  c.push_back({"associative_scan",
               {{{9, 4}, 0.2, 0.9}, {{9, 4}}},
               [](const Values& x) -> Values {
                 return {ops::associative_scan(
                     [](const Values& a, const Values& b) -> Values {
                       return {a[0] * b[0], b[0] * a[1] + b[1]};
                     },
                     x)[1]};
               }});
}

void add_index_cases(std::vector<Case>& c) {
  const In ids{
      .shape = {2, 3}, .dtype = DType::kI32, .values = {0, 4, 2, 2, 1, 4}};
  c.push_back({"take", {{{5, 4}}, ids}, [](const Values& x) -> Values {
                 return {ops::take(x[0], x[1])};
               }});
  c.push_back({"scatter_add",
               {{{5, 4}}, ids, {{2, 3, 4}}},
               [](const Values& x) -> Values {
                 return {ops::scatter_add(x[0], x[1], x[2])};
               }});
  const In along{.shape = {5, 3},
                 .dtype = DType::kI32,
                 .values = {0, 4, 2, 2, 1, 4, 3, 3, 0, 1, 1, 0, 2, 4, 3}};
  c.push_back(
      {"take_along_axis", {{{5, 4}}, along}, [](const Values& x) -> Values {
         const Value at = ops::minimum(x[1], ops::full_like(x[1], 3));
         return {ops::take_along_axis(x[0], at, 1)};
       }});
  c.push_back({"put_along_axis/add",
               {{{5, 3}}, along, {{5, 3}}},
               [](const Values& x) -> Values {
                 return {ops::put_along_axis(
                     x[0], x[1], x[2], 0, ops::Combine::kAddTo)};
               }});
  c.push_back({"take/axis1", {{{3, 5, 2}}, ids}, [](const Values& x) -> Values {
                 return {ops::take(x[0], x[1], 1)};
               }});
  c.push_back({"masked_fill",
               {{{3, 5}}, {{3, 5}, 0, 2, DType::kBool}},
               [](const Values& x) -> Values {
                 return {ops::masked_fill(x[0], x[1], -2.5)};
               }});
  c.push_back({"sort", {{{4, 9}}}, [](const Values& x) -> Values {
                 return {ops::sort(x[0])};
               }});
  c.push_back({"sort/descending0", {{{9, 4}}}, [](const Values& x) -> Values {
                 return {ops::sort(x[0], {.axis = 0, .descending = true})};
               }});
  c.push_back({"argsort",
               {{{4, 9}}},
               [](const Values& x) -> Values { return {ops::argsort(x[0])}; },
               false});
  c.push_back({"top_k", {{{4, 9}}}, [](const Values& x) -> Values {
                 const auto top = ops::top_k(x[0], 3);
                 return {top.values, top.indices};
               }});
  c.push_back({"one_hot",
               {ids},
               [](const Values& x) -> Values {
                 return {ops::one_hot(x[0], 5, DType::kF32)};
               },
               false});
}

}  // namespace kexue::testing
