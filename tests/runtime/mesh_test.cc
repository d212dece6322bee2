// Programs over several devices in one process.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "kexue/base/random.h"
#include "kexue/ir/evaluate.h"
#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/transforms/grad.h"
#include "tests/support/check_close.h"
#include "tests/support/error_matchers.h"
#include "tests/support/mesh_fixture.h"
#include "tests/support/temp_folder.h"

namespace kexue::runtime {
namespace {

using testing::close;

const Mesh kFour{{"data", 2}, {"model", 2}};
const Mesh kTwo{{"data", 2}};

HostArray normal(const Shape& shape, uint64_t seed) {
  HostArray a(DType::kF32, shape);
  Random random(Key::from_seed(seed));
  for (float& x : a.mutable_span<float>()) {
    x = static_cast<float>(random.normal());
  }
  return a;
}

class MeshTest : public testing::MeshTest {
 protected:
  static ShardedArray place(const HostArray& a,
                            const Mesh& mesh,
                            const Sharding& sharding) {
    return session().to_devices(a, mesh, sharding);
  }
};

TEST_F(MeshTest, UploadSplitsAndDownloadPutsTogether) {
  const auto x = normal({4, 6}, 1);
  struct Case {
    Sharding sharding;
    size_t bytes;
  };
  const std::vector<Case> cases = {{Sharding(), 96},
                                   {Sharding{{"data"}}, 48},
                                   {Sharding{{}, {"model"}}, 48},
                                   {Sharding{{"model"}, {"data"}}, 24},
                                   {Sharding{{"model", "data"}}, 24}};
  for (const auto& [sharding, bytes] : cases) {
    const auto on = place(x, kFour, sharding);
    ASSERT_EQ(on.shards().size(), 4U);
    for (const auto& shard : on.shards()) EXPECT_EQ(shard.bytes(), bytes);
    EXPECT_TRUE(on.to_host().identical(x)) << sharding.str();
  }
  // Device 1: data 0, model 1.
  const auto rows = place(x, kFour, Sharding{{"model"}});
  EXPECT_TRUE(
      rows.shards()[1].to_host().identical(copy_block(x, {2, 0}, {2, 6})));
  EXPECT_TRUE(
      rows.shards()[2].to_host().identical(copy_block(x, {0, 0}, {2, 6})));
}

// Two layers, Megatron style: the first split by columns, the second by rows.
Values two_layers(const Values& in) {
  const Value h = ops::tanh(ops::matmul(in[0], in[1]));
  return {ops::mean(ops::matmul(h, in[2]) * ops::matmul(h, in[2]))};
}

Values two_layers_with_gradients(const Values& in) {
  const auto [y, grads] = transforms::value_and_grad(
      [](const Values& v) { return two_layers(v)[0]; })(in);
  return {y, grads[0], grads[1], grads[2]};
}

TEST_F(MeshTest, GradientsEqualThoseOfOneDevice) {
  const std::vector<HostArray> args = {
      normal({8, 6}, 1), normal({6, 4}, 2), normal({4, 2}, 3)};
  const auto graph = trace(two_layers_with_gradients,
                           {args[0].type(), args[1].type(), args[2].type()});
  const auto want = ir::evaluate(*graph, args);
  const Sharding batch{{"data"}}, columns{{}, {"model"}}, rows{{"model"}};
  CompileOptions options;
  options.mesh = kFour;
  options.in = {batch, columns, rows};
  options.out = {Sharding(), batch, columns, rows};
  const Program program = session().compile(*graph, options);
  const auto got = session().run(program, args);
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_TRUE(close(got[i], want[i])) << i;
  }
  EXPECT_EQ(program.outputs()[2]->local().shape, (Shape{6, 2}));
}

// Chains of reductions that the compiler cannot put together, along both axes,
// side by side on every device: those that wait must leave threads for others.
TEST_F(MeshTest, ReductionsOverTwoAxesDoNotWaitForEachOther) {
  constexpr int kLinks = 20;
  const auto f = [](const Values& in) -> Values {
    const auto next = [&](size_t chain, const Value& from) {
      const Value x = ops::tanh(in[chain / 3] + from);
      if (chain % 3 == 0) return ops::mean(x, {0});
      return chain % 3 == 1 ? ops::max(x, {0}) : ops::min(x, {0});
    };
    Values all(6, ops::constant(HostArray::scalar(0.0f)));
    for (int i = 0; i < kLinks; ++i) {
      for (size_t chain = 0; chain < all.size(); ++chain) {
        all[chain] = next(chain, all[chain]);
      }
    }
    return all;
  };
  const std::vector<HostArray> args = {normal({64, 256}, 1),
                                       normal({64, 256}, 2)};
  const auto graph = trace(f, {args[0].type(), args[1].type()});
  CompileOptions options;
  options.mesh = kFour;
  options.in = {Sharding{{"data"}}, Sharding{{"model"}}};
  const auto want = ir::evaluate(*graph, args);
  const Program program = session().compile(*graph, options);
  for (int turn = 0; turn < 20; ++turn) {
    const auto got = session().run(program, args);
    for (size_t i = 0; i < want.size(); ++i) {
      ASSERT_TRUE(close(got[i], want[i])) << turn << ", " << i;
    }
  }
}

TEST_F(MeshTest, AMeshMayHaveFewerDevicesThanThePlugin) {
  const auto graph = trace(
      two_layers,
      {{DType::kF32, {8, 6}}, {DType::kF32, {6, 4}}, {DType::kF32, {4, 2}}});
  const std::vector<HostArray> args = {
      normal({8, 6}, 1), normal({6, 4}, 2), normal({4, 2}, 3)};
  CompileOptions options;
  options.mesh = kTwo;
  options.in = {Sharding{{"data"}}};
  const auto got = session().run(session().compile(*graph, options), args)[0];
  EXPECT_TRUE(close(got, ir::evaluate(*graph, args)[0]));
  // One device of four, without any mesh.
  const auto alone = session().run(session().compile(*graph), args)[0];
  EXPECT_TRUE(close(alone, got));
}

TEST_F(MeshTest, ShardPlacesValuesInsideAProgram) {
  const auto f = [](const Values& in) -> Values {
    const Value h = ops::shard(in[0] * 2.0, Sharding{{"data"}, {"model"}});
    return {ops::sum(ops::tanh(h), {1}),
            transforms::gradients(ops::sum(ops::tanh(h)), {in[0]})[0]};
  };
  const auto x = normal({4, 6}, 5);
  const auto graph = trace(f, {x.type()});
  CompileOptions options;
  options.mesh = kFour;
  const std::string text = session().emit(*graph, options);
  EXPECT_NE(text.find("#sdy.sharding<@mesh, [{\"data\"}, {\"model\"}]>"),
            std::string::npos);
  const auto want = ir::evaluate(*graph, std::vector<HostArray>{x});
  for (const Mesh& mesh : {Mesh(), kFour}) {
    options.mesh = mesh;
    const auto got = session().run(session().compile(*graph, options),
                                   std::vector<HostArray>{x});
    EXPECT_TRUE(close(got[0], want[0]));
    EXPECT_TRUE(close(got[1], want[1]));
  }
}

// Random bits depend on key and index, not on the device.
TEST_F(MeshTest, DropoutDrawsTheSameBits) {
  const auto f = [](const Values& in) -> Values {
    return {ops::dropout(in[0], ops::fold_in(in[1], 7U), 0.25)};
  };
  const auto x = HostArray::full({DType::kF32, {8, 16}}, 1);
  const auto key = HostArray::of<uint32_t>({2}, std::vector<uint32_t>{1, 2});
  const auto graph = trace(f, {x.type(), key.type()});
  const auto one = session().run(session().compile(*graph),
                                 std::vector<HostArray>{x, key})[0];
  CompileOptions options;
  options.mesh = kFour;
  options.in = {Sharding{{"data"}, {"model"}}};
  options.out = options.in;
  const auto four = session().run(session().compile(*graph, options),
                                  std::vector<HostArray>{x, key})[0];
  EXPECT_TRUE(one.identical(four));
}

TEST_F(MeshTest, DonatedPartsAreTakenOver) {
  const auto graph =
      trace([](const Values& in) -> Values { return {in[0] + in[1]}; },
            {{DType::kF32, {4, 4}}, {DType::kF32, {4, 4}}});
  CompileOptions options;
  options.mesh = kFour;
  options.in = {Sharding{{"data"}, {"model"}}};
  options.out = options.in;
  options.alias = {0};
  const Program program = session().compile(*graph, options);
  const auto x = place(normal({4, 4}, 1), kFour, options.in[0]);
  const auto y = place(normal({4, 4}, 2), kFour, Sharding());
  const ShardedArray* args[] = {&x, &y};
  const auto out = program.run_sharded(args);
  for (const auto& shard : x.shards()) EXPECT_TRUE(shard.is_deleted());
  for (const auto& shard : y.shards()) EXPECT_FALSE(shard.is_deleted());
  EXPECT_EQ(out[0].bytes_per_device(), 16U);
  EXPECT_ERROR(program.run_sharded(args), Code::kDevice, "donated");
}

TEST_F(MeshTest, DonationWantsEqualPlacement) {
  const auto graph =
      trace([](const Values& in) -> Values { return {in[0] * 2.0}; },
            {{DType::kF32, {4, 4}}});
  CompileOptions options;
  options.mesh = kFour;
  options.in = {Sharding{{"data"}}};
  options.alias = {0};
  EXPECT_ERROR(session().compile(*graph, options),
               Code::kInvalidArgument,
               "input 0 lies as [{data}]",
               "output 0, which lies as []");
}

TEST_F(MeshTest, CachedProgramsRunAndKnowTheirMesh) {
  const testing::TempFolder folder;
  const char* old = std::getenv("KEXUE_CACHE");
  const std::string before = old == nullptr ? "" : old;
  const std::string plugin = testing::plugin_path();
  ::setenv("KEXUE_CACHE", folder.path().c_str(), 1);
  const Session fresh({.plugin = plugin, .device_count = 4});
  old == nullptr ? ::unsetenv("KEXUE_CACHE")
                 : ::setenv("KEXUE_CACHE", before.c_str(), 1);
  const auto graph = trace(
      two_layers,
      {{DType::kF32, {8, 6}}, {DType::kF32, {6, 4}}, {DType::kF32, {4, 2}}});
  const std::vector<HostArray> args = {
      normal({8, 6}, 1), normal({6, 4}, 2), normal({4, 2}, 3)};
  CompileOptions options;
  options.in = {Sharding{{"data"}}};
  std::vector<std::string> keys;
  for (const Mesh& mesh : {Mesh(), kTwo, Mesh{{"data", 4}}, kFour}) {
    options.mesh = mesh;
    const Program first = fresh.compile(*graph, options);
    EXPECT_FALSE(first.stats().from_cache) << mesh.str();
    const Program again = fresh.compile(*graph, options);
    EXPECT_TRUE(again.stats().from_cache) << mesh.str();
    EXPECT_TRUE(fresh.run(first, args)[0].identical(fresh.run(again, args)[0]))
        << mesh.str();
    for (const auto& key : keys) EXPECT_NE(key, first.stats().key);
    keys.push_back(first.stats().key);
  }
}

TEST_F(MeshTest, MoreDevicesThanThePluginHasAreRefused) {
  const auto graph =
      trace([](const Values& in) -> Values { return {in[0] * 2.0}; },
            {{DType::kF32, {8}}});
  CompileOptions options;
  options.mesh = Mesh{{"data", 2}, {"model", 4}};
  EXPECT_ERROR(session().compile(*graph, options),
               Code::kInvalidArgument,
               "mesh data=2,model=4 wants 8 devices",
               "(cpu) has 4",
               "device_count = 8");
  EXPECT_ERROR(place(normal({8}, 1), options.mesh, Sharding()),
               Code::kInvalidArgument,
               "wants 8 devices");
}

TEST_F(MeshTest, ShardingsThatDoNotFitNameTheirPlace) {
  const auto graph =
      trace([](const Values& in) -> Values { return {in[0] * 2.0}; },
            {{DType::kF32, {5, 4}}});
  CompileOptions options;
  options.mesh = kFour;
  options.in = {Sharding{{"data"}}};
  EXPECT_ERROR(session().compile(*graph, options),
               Code::kInvalidArgument,
               "input 0: sharding [{data}]",
               "2 devices do not divide dimension 0 of [5,4], which is 5");
  options.in = {};
  options.out = {Sharding{{}, {"modle"}}};
  EXPECT_ERROR(session().compile(*graph, options),
               Code::kInvalidArgument,
               "output 0: ",
               "has no axis \"modle\"");
  EXPECT_ERROR(place(normal({5}, 1), kFour, Sharding{{"data"}}),
               Code::kInvalidArgument,
               "do not divide");
}

TEST_F(MeshTest, ShardThatDoesNotFitShowsScopeAndLine) {
  const auto graph = trace(
      [](const Values& in) -> Values {
        const Scope scope("head");
        return {ops::shard(in[0], Sharding{{"data"}})};
      },
      {{DType::kF32, {5}}});
  CompileOptions options;
  options.mesh = kFour;
  EXPECT_ERROR(session().compile(*graph, options),
               Code::kInvalidArgument,
               "do not divide dimension 0 of [5]",
               "in head",
               "mesh_test.cc:");
}

TEST_F(MeshTest, ArgumentsElsewhereAreRefused) {
  const auto graph =
      trace([](const Values& in) -> Values { return {in[0] * 2.0}; },
            {{DType::kF32, {4, 4}}});
  CompileOptions options;
  options.mesh = kFour;
  options.in = {Sharding{{"data"}}};
  const Program program = session().compile(*graph, options);
  const auto x = place(normal({4, 4}, 1), kFour, Sharding{{}, {"data"}});
  const ShardedArray* args[] = {&x};
  EXPECT_ERROR(program.run_sharded(args),
               Code::kInvalidArgument,
               "argument 0 must be f32[4,4] as [{data}] on data=2,model=2",
               "got f32[4,4] as [{}, {data}]");
  EXPECT_ERROR(
      program.run_sharded({}), Code::kInvalidArgument, "has 1 inputs, got 0");
}

}  // namespace
}  // namespace kexue::runtime
