// Training over several devices gives what one device gives.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <map>

#include "kexue/io/atomic_file.h"
#include "kexue/losses/losses.h"
#include "kexue/train/detail/support.h"
#include "kexue/train/engine.h"
#include "tests/support/error_matchers.h"
#include "tests/support/mesh_fixture.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_bert.h"

namespace kexue::train {
namespace {

using testing::random_values;
using testing::tiny_batch;
using testing::tiny_config;

constexpr int kSteps = 4;
// Sums over devices are made in another order: f32 rounding, four updates on.
constexpr double kLossTolerance = 2e-6;   // relative
constexpr double kStateTolerance = 2e-5;  // of the largest entry of a tensor

models::BertConfig config_with(double dropout) {
  models::BertConfig c = tiny_config({"no", "yes"});
  c.vocab = 56;
  c.dropout = dropout;
  c.attention_dropout = dropout;
  return c;
}

struct RunResult {
  std::vector<double> losses;
  std::vector<double> norms;
  std::vector<HostArray> state;
  std::vector<std::string> names;  // of the state
  StateBytes bytes;
};

class TrainMeshTest : public testing::MeshTest {
 protected:
  struct Setting {
    Parallel parallel;
    double dropout = 0;
    DType compute = DType::kF32;
    std::vector<HostArray> state = {};          // to go on from
    const runtime::Session* session = nullptr;  // another than the shared one
    optim::OptimizerPtr rule = nullptr;         // another than AdamW
  };

  static RunResult train(const Setting& s, int steps = kSteps) {
    models::Bert model({.config = config_with(s.dropout)});
    const auto params = model.parameters();
    const LossFunction loss = [&](const BatchValues& b) -> LossResult {
      const Value logits = model.classify(detail::bert_inputs(b));
      return {losses::cross_entropy(logits, b.at("label"), b.at("weight")), {}};
    };
    EngineOptions o;
    o.compute = s.compute;
    o.step.seed = 7;
    o.step.parallel = s.parallel;
    if (s.parallel.active()) o.compile.unroll = 0;  // smaller programs
    // eps keeps the first updates smooth where a gradient is next to nothing.
    const optim::OptimizerPtr rule =
        s.rule
            ? s.rule
            : std::make_shared<optim::AdamW>(optim::AdamWOptions{.eps = 0.01});
    const runtime::Session& where =
        s.session != nullptr ? *s.session : session();
    Engine engine(where, params, loss, rule, o);
    s.state.empty() ? engine.start(random_values(params, 2))
                    : engine.restore(s.state);
    RunResult r;
    const Hyper hyper{.lr = 0.01, .warmup_steps = 0, .total_steps = 100};
    for (int i = 0; i < steps; ++i) {
      const Metrics m = engine.step(tiny_batch(model.config(), 4, 16), hyper);
      r.losses.push_back(m.at("loss"));
      r.norms.push_back(m.at("grad_norm"));
    }
    r.state = engine.save();
    r.names = engine.layout().names;
    r.bytes = engine.state_bytes();
    return r;
  }

  static const RunResult& one_device(double dropout) {
    static std::map<double, RunResult> known;
    if (!known.contains(dropout)) known[dropout] = train({{}, dropout});
    return known[dropout];
  }

  static void expect_equal(const RunResult& got, const RunResult& want) {
    for (size_t i = 0; i < want.losses.size(); ++i) {
      EXPECT_NEAR(got.losses[i] / want.losses[i], 1, kLossTolerance) << i;
      EXPECT_NEAR(got.norms[i] / want.norms[i], 1, kStateTolerance) << i;
    }
    ASSERT_EQ(got.state.size(), want.state.size());
    double worst = 0;
    for (size_t i = 0; i < got.state.size(); ++i) {
      const auto g = got.state[i].to_doubles();
      const auto w = want.state[i].to_doubles();
      // Softmax ignores the key's bias: its gradient is nothing but rounding.
      const bool zero = want.names[i].ends_with("key.bias");
      double largest = zero ? 1e-2 : 1e-9;
      double difference = 0;
      for (size_t k = 0; k < w.size(); ++k) {
        largest = std::max(largest, std::fabs(w[k]));
        difference = std::max(difference, std::fabs(g[k] - w[k]));
      }
      worst = std::max(worst, difference / largest);
      EXPECT_LE(difference, kStateTolerance * largest) << want.names[i];
    }
    RecordProperty("worst", std::to_string(worst));
  }
};

Parallel on(Mesh mesh, Zero zero = Zero::kNone, bool split_vocabulary = false) {
  return {.mesh = std::move(mesh),
          .rules = models::bert_sharding(split_vocabulary),
          .zero = zero};
}

const Mesh kGrid{{"data", 2}, {"model", 2}};

TEST_F(TrainMeshTest, DataParallelOnTwoDevices) {
  for (const double dropout : {0.0, 0.25}) {
    expect_equal(train({on({{"data", 2}}), dropout}), one_device(dropout));
  }
}

TEST_F(TrainMeshTest, DataParallelOnFourDevices) {
  for (const double dropout : {0.0, 0.25}) {
    expect_equal(train({on({{"data", 4}}), dropout}), one_device(dropout));
  }
}

TEST_F(TrainMeshTest, TensorParallelOnTwoDevices) {
  for (const double dropout : {0.0, 0.25}) {
    expect_equal(train({on({{"model", 2}}), dropout}), one_device(dropout));
  }
}

// Four devices for two heads: the axis cuts through them.
TEST_F(TrainMeshTest, TensorParallelOnFourDevices) {
  expect_equal(train({on({{"model", 4}}), 0.25}), one_device(0.25));
}

TEST_F(TrainMeshTest, DataAndTensorParallelOnFourDevices) {
  for (const double dropout : {0.0, 0.25}) {
    expect_equal(train({on(kGrid), dropout}), one_device(dropout));
  }
}

TEST_F(TrainMeshTest, SplitVocabularyGivesTheSame) {
  expect_equal(train({on(kGrid, Zero::kNone, true), 0.25}), one_device(0.25));
}

TEST_F(TrainMeshTest, TensorParallelHalvesWhatItSplits) {
  const auto whole = train({}, 0).bytes;
  const auto parts = train({on({{"model", 2}})}, 0).bytes;
  // Per layer of width D and inner width F: 4 D^2 + 2 D F weights and
  // 3 D + F biases are split, in two layers.
  const size_t d = 16;
  const size_t f = 24;
  const size_t split = 2 * 4 * (4 * d * d + 2 * d * f + 3 * d + f);
  EXPECT_EQ(parts.params, whole.params - split / 2);
  EXPECT_EQ(parts.slots, 2 * parts.params);
}

// Occurrences of an HLO instruction in the compiled step.
std::map<std::string, int> count_in_step(
    const Parallel& parallel,
    const std::function<void(const runtime::Session&)>& compile) {
  const testing::TempFolder folder;
  const runtime::Session dumping(
      {.plugin = testing::plugin_path(),
       .device_count = static_cast<int64_t>(parallel.mesh.devices()),
       .use_cache = false,
       .extra_flags = {{"xla_dump_to", folder.path()},
                       {"xla_dump_hlo_as_text", true}}});
  compile(dumping);
  std::map<std::string, int> counts;
  for (const auto& e : std::filesystem::directory_iterator(folder.path())) {
    const std::string path = e.path().string();
    if (!path.ends_with("after_optimizations.txt")) continue;
    const std::string text = io::read_file(path, 1 << 28);
    for (const char* op : {"all-reduce",
                           "all-gather",
                           "all-to-all",
                           "collective-permute",
                           "reduce-scatter"}) {
      const std::string call = std::string(" ") + op + "(";
      for (size_t at = text.find(call); at != std::string::npos;
           at = text.find(call, at + 1)) {
        ++counts[op];
      }
    }
  }
  return counts;
}

TEST_F(TrainMeshTest, TensorParallelSendsSumsOnly) {
  Setting s{on({{"model", 2}})};
  auto counts = count_in_step(s.parallel, [&](const auto& dumping) {
    s.session = &dumping;
    train(s, 1);
  });
  // Two sums in the loop over layers, two in the loop back, one for the norm
  // of the gradient; weights and activations stay where they are.
  EXPECT_GE(counts["all-reduce"], 4);
  EXPECT_LE(counts["all-reduce"], 5);
  for (const char* op : {"all-gather", "all-to-all", "collective-permute"}) {
    EXPECT_EQ(counts[op], 0) << op;
  }
}

TEST_F(TrainMeshTest, ZeroSplitsSlotsAlongTheDataAxis) {
  const RunResult& want = one_device(0.25);
  EXPECT_EQ(want.bytes.slots, 2 * want.bytes.params);
  for (const int64_t n : {2, 4}) {
    const auto got = train({on({{"data", n}}, Zero::kSlots), 0.25});
    expect_equal(got, want);
    EXPECT_EQ(got.bytes.params, want.bytes.params);
    // All but the classifier's two biases, which four devices do not divide.
    const size_t bias = n == 4 ? 2 * 2 * sizeof(float) : 0;
    EXPECT_EQ(got.bytes.slots,
              (want.bytes.slots - bias) / static_cast<size_t>(n) + bias);
  }
}

TEST_F(TrainMeshTest, ZeroSplitsRowsAndColumnsToo) {
  // eps1 keeps updates smooth where a gradient is next to nothing.
  const auto adafactor = optim::make(
      "adafactor", {{"min_factor", 4.0}, {"eps1", 1e-4}, {"clip", 0.0}});
  Setting one;
  one.rule = adafactor;
  Setting split;
  split.parallel = on(kGrid, Zero::kSlots);
  split.rule = adafactor;
  const auto want = train(one);
  const auto got = train(split);
  expect_equal(got, want);
  EXPECT_LT(want.bytes.slots, want.bytes.params / 2);
  EXPECT_LT(got.bytes.slots, want.bytes.slots * 2 / 3);
}

TEST_F(TrainMeshTest, ZeroGoesWithTensorParallel) {
  const RunResult& want = one_device(0.25);
  const auto got = train({on(kGrid, Zero::kSlots), 0.25});
  expect_equal(got, want);
  const auto tensor_only = train({on({{"model", 2}})}, 0).bytes;
  EXPECT_EQ(got.bytes.params, tensor_only.params);
  EXPECT_EQ(got.bytes.slots, tensor_only.slots / 2);
}

TEST_F(TrainMeshTest, ParametersCanBeSplitToo) {
  const RunResult& want = one_device(0.25);
  const auto got = train({on({{"data", 2}}, Zero::kParams), 0.25});
  expect_equal(got, want);
  EXPECT_EQ(got.bytes.params, want.bytes.params / 2);
  EXPECT_EQ(got.bytes.slots, want.bytes.slots / 2);
}

TEST_F(TrainMeshTest, StateSavedOnOneMeshGoesOnOnAnother) {
  const auto half = train({on(kGrid, Zero::kSlots), 0.25}, 2);
  const auto rest = train({{}, 0.25, DType::kF32, half.state}, 2);
  const RunResult& want = one_device(0.25);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(rest.losses[i] / want.losses[i + 2], 1, kLossTolerance);
  }
}

TEST_F(TrainMeshTest, Bf16StaysCloseToF32) {
  const auto got = train({on(kGrid, Zero::kSlots), 0.25, DType::kBF16});
  const auto& want = one_device(0.25).losses;
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_NEAR(got.losses[i], want[i], 0.03 * want[i] + 0.02);
  }
}

TEST_F(TrainMeshTest, WhatDoesNotDivideIsNamed) {
  EXPECT_ERROR(train({on({{"data", 3}})}, 1),
               Code::kInvalidArgument,
               "batch field \"ids\" i32[4,16] has 4 rows",
               "the 3 devices along \"data\" do not divide",
               "a multiple of 3");
  EXPECT_ERROR(train({on({{"model", 3}})}, 1),
               Code::kInvalidArgument,
               "parameter \"encoder.attention.query.weight\"",
               "3 devices do not divide dimension 1 of [2,16,16]");
  EXPECT_ERROR(train({on({{"data", 4}, {"model", 2}})}, 1),
               Code::kInvalidArgument,
               "mesh data=4,model=2 wants 8 devices",
               "has 4",
               "device_count = 8");
}

}  // namespace
}  // namespace kexue::train
