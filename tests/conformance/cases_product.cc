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
  c.push_back({"one_hot",
               {ids},
               [](const Values& x) -> Values {
                 return {ops::one_hot(x[0], 5, DType::kF32)};
               },
               false});
}

}  // namespace kexue::testing
