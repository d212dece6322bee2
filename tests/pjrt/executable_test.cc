#include "kexue/pjrt/executable.h"

#include <unistd.h>

#include <fstream>

#include "tests/pjrt/device_fixture.h"
#include "tests/support/error_matchers.h"

namespace kexue::pjrt {
namespace {

using testing::doubling;
using testing::run;

class ExecutableTest : public testing::DeviceTest {
 protected:
  Buffer floats(const std::vector<float>& v) const {
    return client().to_device(
        HostArray::of<float>({static_cast<int64_t>(v.size())}, v));
  }
};

TEST_F(ExecutableTest, RunsAModuleWithSeveralOutputs) {
  const auto program = client().compile(R"(
    func.func public @main(%x: tensor<2x3xf32>, %n: tensor<i32>)
        -> (tensor<3x2xf32>, tensor<i32>, tensor<2x3xi1>) {
      %t = stablehlo.transpose %x, dims = [1, 0]
          : (tensor<2x3xf32>) -> tensor<3x2xf32>
      %m = stablehlo.add %n, %n : tensor<i32>
      %b = stablehlo.compare EQ, %x, %x
          : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
      return %t, %m, %b : tensor<3x2xf32>, tensor<i32>, tensor<2x3xi1>
    })");
  EXPECT_EQ(program.num_devices(), 1u);
  ASSERT_EQ(program.output_types().size(), 3u);
  EXPECT_EQ(program.output_types()[0].str(), "f32[3,2]");
  EXPECT_EQ(program.output_types()[1].str(), "i32[]");
  EXPECT_EQ(program.output_types()[2].str(), "bool[2,3]");
  const auto x =
      client().to_device(HostArray::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  const auto n = client().to_device(HostArray::scalar(int32_t{21}));
  const Buffer* args[] = {&x, &n};
  const auto out = program.execute(args);
  EXPECT_EQ(out[0].to_host().to_doubles(),
            (std::vector<double>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(out[1].to_host().to_doubles(), std::vector<double>{42});
  EXPECT_EQ(out[2].to_host().to_doubles(), std::vector<double>(6, 1.0));
}

TEST_F(ExecutableTest, AProgramWithoutOutputsOrArgumentsRuns) {
  const auto program = client().compile("func.func public @main() { return }");
  EXPECT_TRUE(program.output_types().empty());
  EXPECT_TRUE(program.execute({}).empty());
}

TEST_F(ExecutableTest, UnawaitedOutputsArriveLater) {
  const auto program = client().compile(doubling("4096xf32"));
  auto x = client().to_device(HostArray::full({DType::kF32, Shape{4096}}, 1));
  for (int i = 0; i < 10; ++i) {
    x = std::move(run(program, x, {.await = false}).at(0));
  }
  x.await();
  EXPECT_EQ(x.to_host().at(4095), 1024);
}

TEST_F(ExecutableTest, TellsItsMemory) {
  const auto plain = client().compile(doubling("1024xf32")).memory();
  EXPECT_EQ(plain.arguments, 4096);
  EXPECT_EQ(plain.outputs, 4096);
  EXPECT_EQ(plain.aliased, 0);
  EXPECT_EQ(plain.total(), 8192 + plain.temporary);
  const auto donated = client().compile(doubling("1024xf32", true));
  EXPECT_EQ(donated.memory().aliased, 4096);
}

TEST_F(ExecutableTest, DonatedArgumentIsDeletedAndItsMemoryReused) {
  const auto program = client().compile(doubling("1024xf32", true));
  const auto x =
      client().to_device(HostArray::full({DType::kF32, Shape{1024}}, 3));
  const auto y = run(program, x);
  EXPECT_EQ(y.at(0).to_host().at(0), 6);
  EXPECT_TRUE(x.is_deleted());
  EXPECT_ERROR(
      x.to_host(), Code::kInvalidArgument, "f32[1024] was donated", "hint:");
  EXPECT_ERROR(x.await(), Code::kInvalidArgument, "was donated");
  EXPECT_ERROR(run(program, x),
               Code::kDevice,
               "PJRT_LoadedExecutable_Execute",
               "hint: argument 0 (f32[1024]) was donated");
}

TEST_F(ExecutableTest, NonDonatableArgumentSurvives) {
  const auto program = client().compile(doubling("1024xf32", true));
  const auto x =
      client().to_device(HostArray::full({DType::kF32, Shape{1024}}, 3));
  const int64_t keep[] = {0};
  const auto y = run(program, x, {.non_donatable = keep});
  EXPECT_EQ(y.at(0).to_host().at(0), 6);
  EXPECT_FALSE(x.is_deleted());
  EXPECT_EQ(x.to_host().at(0), 3);
}

TEST_F(ExecutableTest, AModuleThatDoesNotParseIsADeviceError) {
  EXPECT_ERROR(client().compile("this is no module"),
               Code::kDevice,
               "PJRT_Client_Compile");
  EXPECT_ERROR(client().compile(R"(
    func.func public @main(%x: tensor<4xf32>) -> tensor<5xf32> {
      return %x : tensor<4xf32>
    })"),
               Code::kDevice,
               "PJRT_Client_Compile",
               "tensor<5xf32>");
}

TEST_F(ExecutableTest, WrongArgumentsNameThePlaceAndBothTypes) {
  auto program = client().compile(doubling("4xf32"));
  const auto ints =
      client().to_device(HostArray::of<int32_t>({4}, {1, 2, 3, 4}));
  const auto five = floats({1, 2, 3, 4, 5});
  // Without types only the plugin's own check of sizes is there.
  EXPECT_ERROR(
      run(program, five), Code::kDevice, "PJRT_LoadedExecutable_Execute");
  program.expect_parameters({{DType::kF32, Shape{4}}});
  EXPECT_ERROR(run(program, five),
               Code::kInvalidArgument,
               "argument 0 must be f32[4], got f32[5]");
  EXPECT_ERROR(run(program, ints),
               Code::kInvalidArgument,
               "argument 0 must be f32[4], got i32[4]");
  EXPECT_ERROR(program.execute({}),
               Code::kInvalidArgument,
               "1 parameters",
               "got 0 arguments");
  EXPECT_ERROR(run(program, Buffer()),
               Code::kInvalidArgument,
               "argument 0 is an empty buffer");
  const auto x = floats({1, 2, 3, 4});
  EXPECT_EQ(run(program, x).at(0).to_host().at(3), 8);
}

TEST_F(ExecutableTest, WrongArgumentCountIsADeviceErrorWithoutTypes) {
  const auto program = client().compile(doubling("4xf32"));
  EXPECT_ERROR(program.execute({}), Code::kDevice, "Execute");
}

TEST_F(ExecutableTest, BufferOfAnotherClientIsRefused) {
  const auto program = client().compile(doubling("1xf32"));
  const auto other = Client::create(client().plugin());
  const auto x = other.to_device(HostArray::of<float>({1}, {1}));
  EXPECT_ERROR(
      run(program, x), Code::kInvalidArgument, "belongs to another client");
}

TEST_F(ExecutableTest, SerializedProgramRunsAgain) {
  std::vector<std::byte> bytes;
  {
    const auto program = client().compile(doubling("4xf32", true));
    bytes = program.serialize();
  }
  EXPECT_GT(bytes.size(), 100u);
  const auto again = client().deserialize(bytes);
  EXPECT_EQ(again.output_types().at(0).str(), "f32[4]");
  const auto x = floats({1, 2, 3, 4});
  EXPECT_EQ(run(again, x).at(0).to_host().to_doubles(),
            (std::vector<double>{2, 4, 6, 8}));
  EXPECT_TRUE(x.is_deleted());  // donation is part of the program
}

TEST_F(ExecutableTest, BytesThatAreNoProgramAreADeviceError) {
  const std::vector<std::byte> junk(64, std::byte{'x'});
  EXPECT_ERROR(client().deserialize(junk),
               Code::kDevice,
               "PJRT_Executable_DeserializeAndLoad");
}

TEST_F(ExecutableTest, FlagsReachTheCompiler) {
  CompileOptions o;
  o.flags = {{"xla_kexue_no_such_flag", true}};
  EXPECT_ERROR(client().compile(doubling("4xf32"), o),
               Code::kDevice,
               "PJRT_Client_Compile",
               "xla_kexue_no_such_flag");
  // One of each kind that the compiler knows.
  o.flags = {{"xla_cpu_enable_fast_math", false},
             {"xla_backend_optimization_level", int64_t{1}},
             {"xla_cpu_prefer_vector_width", "256"}};
  const auto program = client().compile(doubling("4xf32"), o);
  EXPECT_EQ(run(program, floats({1, 2, 3, 4})).at(0).to_host().at(1), 4);
}

TEST_F(ExecutableTest, ReplicasRunOnAllTheirDevices) {
  if (client().platform_name() != "cpu") GTEST_SKIP() << "not a CPU plugin";
  const auto c = Client::create(client().plugin(), {.cpu_device_count = 2});
  const auto program = c.compile(R"(
    module attributes {mhlo.num_replicas = 2 : i32} {
    func.func public @main(%x: tensor<2xf32>) -> tensor<2xf32> {
      %y = "stablehlo.all_reduce"(%x) ({
        ^bb0(%a: tensor<f32>, %b: tensor<f32>):
          %s = stablehlo.add %a, %b : tensor<f32>
          stablehlo.return %s : tensor<f32>
      }) {replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>}
          : (tensor<2xf32>) -> tensor<2xf32>
      return %y : tensor<2xf32>
    }})",
                                 {.num_replicas = 2});
  ASSERT_EQ(program.num_devices(), 2u);
  const auto a = c.to_device(HostArray::of<float>({2}, {1, 2}), 0);
  const auto b = c.to_device(HostArray::of<float>({2}, {10, 20}), 1);
  const Buffer* args[] = {&a, &b};
  const auto out = program.execute(args, {.launch_id = 1});
  ASSERT_EQ(out.size(), 2u);
  for (const auto& y : out) {
    EXPECT_EQ(y.to_host().to_doubles(), (std::vector<double>{11, 22}));
  }
  const Buffer* odd[] = {&a};
  EXPECT_ERROR(program.execute(odd), Code::kInvalidArgument, "2 devices");
}

size_t resident_bytes() {
  size_t total = 0;
  size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(ExecutableTest, TenThousandCallsDoNotGrowTheProcess) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer keeps freed memory";
#endif
  const auto program = client().compile(doubling("256xf32", true));
  auto x = client().to_device(HostArray::full({DType::kF32, Shape{256}}, 0));
  const auto call = [&](int n) {
    for (int i = 0; i < n; ++i) {
      const auto more = client().to_device(
          HostArray::scalar(1.0f),
          0,
          i % 2 == 0 ? HostSemantics::kCopy : HostSemantics::kZeroCopy);
      x = std::move(run(program, x).at(0));
    }
  };
  call(2000);
  const size_t before = resident_bytes();
  call(10000);
  const size_t after = resident_bytes();
  EXPECT_LT(after, before + (size_t{1} << 20));
}

}  // namespace
}  // namespace kexue::pjrt
