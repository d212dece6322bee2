#include "kexue/runtime/session.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "kexue/base/random.h"
#include "kexue/io/atomic_file.h"
#include "kexue/ir/evaluate.h"
#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "tests/support/check_close.h"
#include "tests/support/error_matchers.h"
#include "tests/support/session_fixture.h"
#include "tests/support/temp_folder.h"

namespace kexue::runtime {
namespace {

using testing::close;

HostArray f32(const Shape& shape, const std::vector<float>& values) {
  return HostArray::of<float>(shape, values);
}

// y = tanh(x) w, with products large enough for no kernel at all.
Values layer(const Values& x) {
  return {ops::matmul(ops::tanh(x[0]), x[1])};
}

std::unique_ptr<Graph> layer_graph() {
  return trace(layer, {{DType::kF32, {2, 3}}, {DType::kF32, {3, 2}}});
}

const std::vector<HostArray> kArgs = {f32({2, 3}, {1, -2, 3, 0.5F, 0, -1}),
                                      f32({3, 2}, {1, 2, 3, 4, 5, 6})};

// An environment variable for the time of a test.
class Variable final {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

// The plugin of this tree with a cache of the test's own.
class CacheTest : public testing::SessionTest {
 protected:
  void SetUp() override {
    testing::SessionTest::SetUp();
    if (IsSkipped()) return;
    options_.plugin = testing::plugin_path();
    cache_.emplace("KEXUE_CACHE", temp_.path());
  }
  std::vector<std::string> entries() const {
    std::vector<std::string> out;
    for (const auto& e :
         std::filesystem::directory_iterator(temp_ / "executables")) {
      out.push_back(e.path().string());
    }
    return out;
  }

  SessionOptions options_;

 private:
  testing::TempFolder temp_;
  std::optional<Variable> cache_;
};

TEST_F(CacheTest, SecondSessionLoadsTheProgram) {
  const auto graph = layer_graph();
  std::vector<HostArray> results;
  for (const bool cached : {false, true}) {
    const Session session(options_);
    const Program program = session.compile(*graph);
    EXPECT_EQ(program.stats().from_cache, cached);
    results.push_back(session.run(program, kArgs)[0]);
  }
  EXPECT_TRUE(results[0].identical(results[1]));
  EXPECT_EQ(entries().size(), 1U);
}

TEST_F(CacheTest, DamagedEntryIsDeletedAndCompiledAgain) {
  const auto graph = layer_graph();
  const Session session(options_);
  session.compile(*graph);
  ASSERT_EQ(entries().size(), 1U);
  const std::string path = entries()[0];
  const std::string good = io::read_file(path, 1 << 24);
  for (const size_t at : {size_t{3}, size_t{100}, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    io::write_file(path, bad);
    const Program again = session.compile(*graph);
    EXPECT_FALSE(again.stats().from_cache) << at;
    EXPECT_EQ(session.run(again, kArgs).size(), 1U);
    EXPECT_TRUE(session.compile(*graph).stats().from_cache) << at;
  }
}

TEST_F(CacheTest, EntryThatThePluginRefusesIsDeletedAndCompiledAgain) {
  const auto graph = layer_graph();
  const Session session(options_);
  const std::string key = session.compile(*graph).stats().key;
  session.cache().store(key, std::vector<std::byte>(100, std::byte{7}));
  EXPECT_FALSE(session.compile(*graph).stats().from_cache);
  EXPECT_TRUE(session.compile(*graph).stats().from_cache);
}

TEST_F(CacheTest, FlagsAndPrecisionArePartOfTheKey) {
  const auto graph = layer_graph();
  const Session session(options_);
  const std::string key = session.compile(*graph).stats().key;
  CompileOptions bf16;
  bf16.compute = DType::kBF16;
  EXPECT_NE(session.compile(*graph, bf16).stats().key, key);
  options_.extra_flags["xla_cpu_enable_fast_math"] = false;
  const Session other(options_);
  EXPECT_NE(other.compile(*graph).stats().key, key);
}

TEST_F(CacheTest, CanBeTurnedOff) {
  options_.use_cache = false;
  const Session session(options_);
  session.compile(*layer_graph());
  EXPECT_FALSE(session.compile(*layer_graph()).stats().from_cache);
  EXPECT_TRUE(entries().empty());
}

class SessionTest : public testing::SessionTest {};

TEST_F(SessionTest, CompiledGraphEqualsTheHostEvaluator) {
  const auto graph = layer_graph();
  const Program program = session().compile(*graph);
  EXPECT_TRUE(
      close(session().run(program, kArgs)[0], ir::evaluate(*graph, kArgs)[0]));
}

// Small products go past the kernels; the CPU plugin has none of bf16 x bf16
// with an f32 result.
TEST_F(SessionTest, SmallProductsRunInEveryPrecision) {
  for (const int64_t n : {2, 9, 16, 40}) {
    const auto graph = trace(
        [](const Values& x) -> Values {
          return {ops::einsum("abk,ank->abn", x[0], x[1])};
        },
        {{DType::kF32, {3, n, 16}}, {DType::kF32, {3, n, 16}}});
    const std::vector<HostArray> args(
        2, HostArray::full({DType::kF32, {3, n, 16}}, 0.5));
    for (const DType compute : {DType::kF32, DType::kBF16, DType::kF16}) {
      CompileOptions options;
      options.compute = compute;
      const auto out = session().run(session().compile(*graph, options), args);
      EXPECT_EQ(out[0].at(0), 4) << name(compute) << " " << n;
    }
  }
}

TEST_F(SessionTest, CompositionsAgreeWithKernels) {
  SessionOptions options;
  options.use_kernels = false;
  const auto graph = trace(
      [](const Values& x) -> Values {
        return {ops::gelu(
            ops::layer_norm(ops::matmul(x[0], x[1]), x[2], x[2], 1e-5))};
      },
      {{DType::kF32, {64, 48}}, {DType::kF32, {48, 96}}, {DType::kF32, {96}}});
  std::vector<HostArray> args;
  for (const Value& v : graph->inputs()) {
    HostArray a(v.type());
    Random random(Key::from_seed(args.size()));
    for (float& x : a.mutable_span<float>()) {
      x = static_cast<float>(random.normal());
    }
    args.push_back(a);
  }
  const Program with = session().compile(*graph);
  const auto got = session().run(with, args)[0];
  const Session plain(options);
  const Program without = plain.compile(*graph);
  EXPECT_EQ(without.stats().kernel_calls, 0U);
  EXPECT_TRUE(close(got, plain.run(without, args)[0], {1e-4, 1e-5}));
}

TEST_F(SessionTest, WrongArgumentsShowBothTypes) {
  const Program program = session().compile(*layer_graph());
  EXPECT_ERROR(session().run(program, std::vector<HostArray>{kArgs[0]}),
               Code::kInvalidArgument,
               "1",
               "2");
  EXPECT_ERROR(
      session().run(program, std::vector<HostArray>{kArgs[0], kArgs[0]}),
      Code::kInvalidArgument,
      "f32[2,3]",
      "f32[3,2]");
  const HostArray ints = HostArray(DType::kI32, {3, 2});
  EXPECT_ERROR(session().run(program, std::vector<HostArray>{kArgs[0], ints}),
               Code::kInvalidArgument,
               "i32[3,2]",
               "f32[3,2]");
}

TEST_F(SessionTest, JitCompilesOncePerSetOfTypes) {
  Jit f = jit(session(), layer);
  const auto a = f(kArgs);
  EXPECT_TRUE(a[0].identical(f(kArgs)[0]));
  const auto* first = &f.program({kArgs[0].type(), kArgs[1].type()});
  EXPECT_EQ(first, &f.program({kArgs[0].type(), kArgs[1].type()}));
  const auto other = f({kArgs[1], kArgs[0]});
  EXPECT_EQ(other[0].shape(), (Shape{3, 3}));
}

TEST(NoPlugin, SaysWhereItLooked) {
  const testing::TempFolder temp;
  const Variable cache("KEXUE_CACHE", temp.path());
  const Variable home("HOME", temp.path());
  const Variable plugin("KEXUE_PLUGIN", "");
  EXPECT_ERROR(Session(), Code::kNotFound, temp.path(), "hint:");
}

TEST(NoPlugin, WrongPathsAreNamed) {
  SessionOptions options;
  options.plugin = "/no/such/plugin.so";
  EXPECT_ERROR(Session{options}, Code::kNotFound, "/no/such/plugin.so");
  const testing::TempFolder temp;
  std::filesystem::permissions(temp.path(), std::filesystem::perms::owner_all);
  io::write_file(temp / "plugin.so", "not a library");
  options.plugin = temp / "plugin.so";
  EXPECT_ERROR(Session{options}, Code::kUnsupported, "plugin.so");
}

TEST_F(SessionTest, APluginWithoutBf16IsNamedAndRunsF32) {
  ::setenv("KEXUE_REAL_PLUGIN", testing::plugin_path().c_str(), 1);
  const Session session({.plugin = KEXUE_NO_BF16_PLUGIN, .use_cache = false});
  const auto graph = layer_graph();
  const auto program = session.compile(*graph);
  EXPECT_TRUE(
      close(session.run(program, kArgs)[0], ir::evaluate(*graph, kArgs)[0]));
  EXPECT_ERROR(session.compile(*graph, {.compute = DType::kBF16}),
               Code::kUnsupported,
               "this plugin compiles no bf16",
               "precision f32 runs everywhere");
}

}  // namespace
}  // namespace kexue::runtime
