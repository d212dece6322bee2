// Samples of 100,000 from the compiled program against the host evaluator.
#include "kexue/ops/ops.h"
#include "tests/ops/device_check.h"
#include "tests/pjrt/device_fixture.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

using DeviceRandom = pjrt::testing::DeviceTest;

TEST_F(DeviceRandom, SamplesAreThoseOfTheHost) {
  constexpr int64_t kN = 100000;
  Graph g;
  const ir::Tracing tracing(g);
  const Value k = g.input({DType::kU32, {2}});
  const Value logits = g.input({DType::kF32, {7}});
  const std::vector<std::pair<std::string, Value>> all = {
      {"uniform", ops::random_uniform(k, {kN}, -2, 3)},
      {"normal", ops::random_normal(k, {kN}, 1, 2)},
      {"truncated normal", ops::random_truncated_normal(k, {kN}, -2, 3)},
      {"exponential", ops::random_exponential(k, {kN})},
      {"gumbel", ops::random_gumbel(k, {kN})},
      {"laplace", ops::random_laplace(k, {kN})},
      {"bernoulli", ops::random_bernoulli(k, {kN}, 0.3)},
      {"categorical",
       ops::random_categorical(k, ops::broadcast_to(logits, {kN / 4, 7}))},
      {"integers", ops::random_integers(k, {kN}, -1000000000, 1000000000)},
      {"permutation", ops::random_permutation(k, kN)},
      {"shuffle", ops::shuffle(k, ops::iota({DType::kF32, {9, 99}}, 1), 1)},
      {"split_key", ops::split_key(k, kN / 4)}};
  Values outs;
  for (const auto& [name, v] : all) outs.push_back(v);
  g.set_outputs(outs);
  const std::vector<HostArray> args = {
      HostArray::of<uint32_t>({2}, {31, 41}),
      random_normal({DType::kF32, {7}}, Key::from_seed(1))};
  const auto want = ir::evaluate(g, args);
  const auto got = run_on_device(client(), g, args);
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_TRUE(close(got[i], want[i], device_tolerance(want[i])))
        << all[i].first;
  }
}

// NaN, infinities, signed zeros and repeats in every line: keys and the
// permutation are the host's, bit for bit.
TEST_F(DeviceRandom, LargeSortsAreThoseOfTheHost) {
  constexpr int64_t kN = 20000;
  Random random(Key::from_seed(4));
  std::vector<double> v;
  const double edges[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1};
  for (int64_t i = 0; i < kN; ++i) {
    const double x = random.normal();
    v.push_back(random.uniform() < 0.3
                    ? edges[static_cast<size_t>(6 * random.uniform())]
                    : x);
  }
  for (const DType d : {DType::kF32, DType::kBF16, DType::kF64}) {
    Graph g;
    const ir::Tracing tracing(g);
    const Value x = g.input({d, {kN / 4, 4}});
    Values outs;
    for (const bool down : {false, true}) {
      for (const int64_t axis : {0, 1}) {
        const ops::SortOptions o{.axis = axis, .descending = down};
        outs.push_back(ops::argsort(x, o));
        outs.push_back(ops::sort(x, o));
      }
    }
    const auto top = ops::top_k(x, 100, 0);
    outs.insert(outs.end(), {top.indices, top.values});
    g.set_outputs(outs);
    const std::vector<HostArray> args = {
        HostArray::from_doubles({d, {kN / 4, 4}}, v)};
    const auto want = ir::evaluate(g, args);
    const auto got = run_on_device(client(), g, args);
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_TRUE(close(got[i], want[i], {0, 0})) << name(d) << " " << i;
    }
  }
}

}  // namespace
}  // namespace kexue::testing
