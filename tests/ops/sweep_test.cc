// Every op: value against an independent formula, gradients of the row's order
// against central differences, both in f64 on the host evaluator.
#include <gtest/gtest.h>

#include <set>

#include "kexue/ir/verify.h"
#include "kexue/ops/op_table.h"
#include "tests/ops/sweep_rows.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

TEST(OpSweep, EveryOpHasARow) {
  std::set<std::string> rows;
  for (const Row& row : sweep_rows()) rows.insert(row.op);
  for (const OpDef* op : ops::op_table()) {
    EXPECT_TRUE(rows.contains(std::string(op->name)))
        << "op without a row in tests/ops/rows_*.cc: " << op->name;
  }
  for (const std::string& name : rows) {
    bool known = false;
    for (const OpDef* op : ops::op_table()) known |= op->name == name;
    EXPECT_TRUE(known) << "row of an unknown op: " << name;
  }
}

TEST(OpSweep, EachRowsGraphHoldsItsOp) {
  for (const Row& row : sweep_rows()) {
    Graph g;
    const ir::Tracing tracing(g);
    Values in;
    for (const auto& a : make_inputs(row, DType::kF32)) {
      in.push_back(g.input(a.type()));
    }
    row.build(in, DType::kF32);
    ir::verify(g);
    bool found = row.in.size() == 1 && row.in[0].shape.rank() == 0;
    for (const auto& n : g.nodes()) found |= n->op->name == row.op;
    EXPECT_TRUE(found) << row.name;
  }
}

TEST(OpSweep, ValuesMatchIndependentFormulas) {
  std::set<std::string> unchecked;
  std::set<std::string> checked;
  for (const Row& row : sweep_rows()) {
    SCOPED_TRACE(row.name);
    if (!row.want) {
      unchecked.insert(row.op);
      continue;
    }
    checked.insert(row.op);
    const auto x = make_inputs(row, DType::kF64);
    std::vector<Doubles> raw;
    for (const auto& a : x) raw.push_back(parts(a));
    const auto got = evaluate_at(
        [&](const Values& v) { return row.build(v, DType::kF64); }, x)[0];
    const Doubles expected = row.want(raw);
    ASSERT_EQ(parts(got).size(), expected.size());
    const auto want = from_parts(got.type(), expected);
    const bool wide = is_inexact(got.dtype());
    EXPECT_TRUE(
        close(got, want, wide ? Tolerance{1e-12, 1e-12} : Tolerance{0, 0}));
  }
  // These have tests of their own in fused_test.cc.
  for (const auto& op : checked) unchecked.erase(op);
  EXPECT_EQ(unchecked,
            (std::set<std::string>{"attention_grad", "layer_norm_grad"}));
}

TEST(OpSweep, GradientsMatchCentralDifferences) {
  for (const Row& row : sweep_rows()) {
    if (row.order == 0) continue;
    SCOPED_TRACE(row.name);
    const auto f = [&](const Values& x) {
      return weighted_sum(row.build(x, DType::kF64));
    };
    EXPECT_TRUE(check_grads(f, make_inputs(row, DType::kF64), row.order));
  }
}

TEST(OpSweep, SixteenBitResultsAreRoundedOnce) {
  // The same row in f64 on the rounded inputs, rounded: one op, one rounding.
  const std::set<std::string> one_rounding = {
      "add", "multiply", "exp", "tanh", "erf", "sqrt", "sum", "matmul"};
  for (const Row& row : sweep_rows()) {
    if (!one_rounding.contains(row.op) || row.name.find("two axes") < 99) {
      continue;
    }
    if (row.types.size() == 2) continue;  // of complex numbers: 32 bits or more
    SCOPED_TRACE(row.name);
    for (const DType d : {DType::kBF16, DType::kF16}) {
      const auto x = make_inputs(row, d);
      if (x.empty() || !is_float(x[0].dtype())) continue;
      if (row.in.size() == 3) continue;  // a bias: product, then sum
      std::vector<HostArray> wide;
      for (const auto& a : x) wide.push_back(a.cast(DType::kF64));
      const auto low =
          evaluate_at([&](const Values& v) { return row.build(v, d); }, x)[0];
      const auto high = evaluate_at(
          [&](const Values& v) { return row.build(v, DType::kF64); }, wide)[0];
      EXPECT_TRUE(close(low, high.cast(d), {0, 0}));
    }
  }
}

}  // namespace
}  // namespace kexue::testing
