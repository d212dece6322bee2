// Every row of the op sweep as a batch: three examples in one program give
// what each of them gives alone.
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "kexue/base/random.h"
#include "kexue/ir/verify.h"
#include "kexue/ops/op_table.h"
#include "kexue/transforms/batch.h"
#include "tests/ops/sweep_rows.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

constexpr int64_t kExamples = 3;

using Arrays = std::vector<HostArray>;

// Input i of example e: fresh numbers in the row's range; given values are
// turned around by e places, single integers moved on by e.
HostArray example_input(const Row& row, size_t i, int64_t e) {
  const In& in = row.in[i];
  const DType dtype = in.dtype;
  const int64_t width = is_complex(dtype) ? 2 : 1;
  Doubles v = in.values;
  if (v.empty()) {
    Random random(Key::from_seed(50 + static_cast<uint64_t>(e)).fold_in(i));
    for (int64_t n = width * in.shape.size(); n > 0; --n) {
      const double x = in.low + (in.high - in.low) * random.uniform();
      v.push_back(is_inexact(dtype) ? x : std::floor(x));
    }
  } else if (v.size() == 1 && dtype == DType::kI32) {
    v[0] += static_cast<double>(e);
  } else {
    std::rotate(v.begin(),
                v.begin() + width * e % static_cast<long>(v.size()),
                v.end());
  }
  return from_parts({dtype, in.shape}, v);
}

HostArray stack(const Arrays& parts) {
  auto dims = parts[0].shape().dims();
  dims.insert(dims.begin(), static_cast<int64_t>(parts.size()));
  HostArray out(parts[0].dtype(), Shape(dims));
  for (size_t i = 0; i < parts.size(); ++i) {
    std::memcpy(out.mutable_data() + i * parts[i].bytes(),
                parts[i].data(),
                parts[i].bytes());
  }
  return out;
}

// `batched[i]`: input i differs between examples.
void expect_like_examples_alone(const Row& row,
                                const std::vector<bool>& batched) {
  const auto f = [&](const Values& x) { return row.build(x, DType::kF64); };
  std::vector<int64_t> axes;
  Arrays together;
  std::vector<Arrays> alone(kExamples);
  for (size_t i = 0; i < row.in.size(); ++i) {
    Arrays parts;
    for (int64_t e = 0; e < kExamples; ++e) {
      parts.push_back(example_input(row, i, batched[i] ? e : 0));
      alone[static_cast<size_t>(e)].push_back(parts.back());
    }
    axes.push_back(batched[i] ? 0 : transforms::kShared);
    together.push_back(batched[i] ? stack(parts) : parts[0]);
  }
  const Arrays got = evaluate_at(transforms::batch(f, axes), together);
  std::vector<Arrays> want(got.size());
  for (const Arrays& x : alone) {
    const Arrays y = evaluate_at(f, x);
    ASSERT_EQ(y.size(), got.size());
    for (size_t k = 0; k < y.size(); ++k) want[k].push_back(y[k]);
  }
  for (size_t k = 0; k < got.size(); ++k) {
    EXPECT_TRUE(close(got[k], stack(want[k]))) << "output " << k;
  }
}

TEST(BatchSweep, EachInputAloneAndAllTogether) {
  size_t cases = 0;
  for (const Row& row : sweep_rows()) {
    const size_t n = row.in.size();
    for (size_t i = 0; i <= n && n > 0; ++i) {
      if (i == n && n == 1) break;
      std::vector<bool> batched(n, i == n);
      if (i < n) batched[i] = true;
      SCOPED_TRACE(row.name + (i == n ? ", all" : " " + std::to_string(i)));
      expect_like_examples_alone(row, batched);
      ++cases;
    }
  }
  EXPECT_GT(cases, 400U);
}

int count_loops(const Graph& g) {
  int n = 0;
  for (const auto& node : g.nodes()) {
    n += node->op == &ops::kScan;
    for (const auto& r : node->regions) n += count_loops(*r);
  }
  return n;
}

// Loops in the program of a row, batched in all inputs or not at all.
int loops_of(const Row& row, bool batched) {
  Graph g;
  const ir::Tracing tracing(g);
  Values in;
  for (size_t i = 0; i < row.in.size(); ++i) {
    const HostArray one = example_input(row, i, 0);
    in.push_back(g.input(batched ? stack({one, one, one}).type() : one.type()));
  }
  const auto f = [&](const Values& x) { return row.build(x, DType::kF64); };
  g.set_outputs(batched ? transforms::batch(f)(in) : f(in));
  const auto made = transforms::simplify(g);
  ir::verify(*made);
  return count_loops(*made);
}

TEST(BatchSweep, OnlyOpsWithoutARuleLoopOverExamples) {
  std::set<std::string> looping;
  for (const Row& row : sweep_rows()) {
    if (row.in.empty()) continue;
    if (loops_of(row, true) > loops_of(row, false)) looping.insert(row.op);
  }
  for (const OpDef* op : ops::op_table()) {
    // The rows give each example its own predicate, so these go one by one.
    if (op == &ops::kCase || op == &ops::kWhile) continue;
    if (op->batch == nullptr) continue;
    EXPECT_FALSE(looping.contains(std::string(op->name))) << op->name;
  }
  for (const char* name : {"add", "matmul", "sum", "take", "dropout"}) {
    EXPECT_FALSE(looping.contains(name)) << name;
  }
}

}  // namespace
}  // namespace kexue::testing
