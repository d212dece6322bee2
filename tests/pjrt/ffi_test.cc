#include "kexue/pjrt/ffi.h"

#include <stdexcept>

#include "tests/pjrt/device_fixture.h"
#include "tests/support/error_matchers.h"

namespace kexue::pjrt {
namespace {

using testing::run;

int64_t count(const FfiBuffer& b) {
  int64_t n = 1;
  for (int64_t d : b.dims) n *= d;
  return n;
}

// y = scale * x
void scale(const FfiCall& call) {
  const auto& x = call.args()[0];
  const auto& y = call.results()[0];
  if (x.dtype != DType::kF32 || call.args().size() != 1) {
    throw Error(Code::kInvalidArgument, "test_scale: wants one f32 array");
  }
  const auto factor = static_cast<float>(call.attr_float("scale"));
  for (int64_t i = 0; i < count(x); ++i) {
    static_cast<float*>(y.data)[i] =
        factor * static_cast<const float*>(x.data)[i];
  }
}

// Every kind of attribute, written out as numbers.
void attributes(const FfiCall& call) {
  auto* y = static_cast<double*>(call.results()[0].data);
  const auto sizes = call.attr_ints("sizes");
  y[0] = static_cast<double>(call.attr_int("i32"));
  y[1] = static_cast<double>(call.attr_int("i64"));
  y[2] = static_cast<double>(call.attr_int("flag"));
  y[3] = call.attr_float("f64");
  y[4] = static_cast<double>(sizes.size());
  y[5] = static_cast<double>(sizes[2]);
  y[6] = call.has_attr("absent") ? 1 : 0;
  y[7] = static_cast<double>(call.results()[0].dims.size());
}

void many(const FfiCall& call) {
  float sum = 0;
  for (const auto& x : call.args()) sum += *static_cast<float*>(x.data);
  *static_cast<float*>(call.results()[0].data) = sum;
}

void fails(const FfiCall& call) {
  switch (call.attr_int("how")) {
    case 0:
      throw Error(Code::kUnsupported, "no such kernel", "use another");
    case 1:
      throw std::runtime_error("plain failure");
    case 2:
      throw 7;
    case 3:
      call.attr_float("absent");
      break;
    default:
      call.attr_ints("how");
  }
}

std::string custom_call(const std::string& target,
                        const std::string& config,
                        const std::string& in,
                        const std::string& out) {
  const std::string i = "tensor<" + in + ">";
  const std::string o = "tensor<" + out + ">";
  return "func.func public @main(%x: " + i + ") -> " + o +
         " {\n  %y = \"stablehlo.custom_call\"(%x) {call_target_name = \"" +
         target + "\", api_version = 4 : i32, backend_config = {" + config +
         "}} : (" + i + ") -> " + o + "\n  return %y : " + o + "\n}\n";
}

class FfiTest : public testing::DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (IsSkipped()) return;
    if (!client().plugin().has_ffi() || client().platform_name() != "cpu") {
      GTEST_SKIP() << "this plugin runs no custom calls on the host";
    }
    const FfiTarget targets[] = {ffi_target<scale>("test_scale"),
                                 ffi_target<attributes>("test_attributes"),
                                 ffi_target<many>("test_many"),
                                 ffi_target<fails>("test_fails")};
    register_ffi(client().plugin(), targets);
  }
  Buffer floats() const {
    return client().to_device(HostArray::of<float>({3}, {1, 2, -3}));
  }
};

TEST_F(FfiTest, ScalesWithItsAttribute) {
  const auto program = client().compile(
      custom_call("test_scale", "scale = 3.0 : f32", "3xf32", "3xf32"));
  EXPECT_EQ(run(program, floats()).at(0).to_host().to_doubles(),
            (std::vector<double>{3, 6, -9}));
}

TEST_F(FfiTest, WorksInAReloadedProgram) {
  const auto bytes =
      client()
          .compile(
              custom_call("test_scale", "scale = 5.0 : f32", "3xf32", "3xf32"))
          .serialize();
  const auto program = client().deserialize(bytes);
  EXPECT_EQ(run(program, floats()).at(0).to_host().to_doubles(),
            (std::vector<double>{5, 10, -15}));
}

TEST_F(FfiTest, ReadsEveryKindOfAttribute) {
  const auto program = client().compile(
      custom_call("test_attributes",
                  "f64 = 0.5 : f64, flag = true, i32 = -7 : i32, i64 = 9 : "
                  "i64, sizes = array<i64: 1, 2, 33>",
                  "3xf32",
                  "8xf64"));
  EXPECT_EQ(run(program, floats()).at(0).to_host().to_doubles(),
            (std::vector<double>{-7, 9, 1, 0.5, 3, 33, 0, 1}));
}

TEST_F(FfiTest, MoreOperandsThanFitOnTheStack) {
  constexpr int kOperands = 40;
  std::string operands;
  std::string types;
  for (int i = 0; i < kOperands; ++i) {
    operands += i == 0 ? "%x" : ", %x";
    types += i == 0 ? "tensor<f32>" : ", tensor<f32>";
  }
  const auto program = client().compile(
      "func.func public @main(%x: tensor<f32>) -> tensor<f32> {\n"
      "  %y = \"stablehlo.custom_call\"(" +
      operands +
      ") {call_target_name = \"test_many\", api_version = 4 : i32} : (" +
      types + ") -> tensor<f32>\n  return %y : tensor<f32>\n}\n");
  const auto x = client().to_device(HostArray::scalar(1.5f));
  EXPECT_EQ(run(program, x).at(0).to_host().at(0), 1.5 * kOperands);
}

TEST_F(FfiTest, ThrowingHandlerFailsTheExecution) {
  const auto with = [&](const std::string& how) {
    return client().compile(
        custom_call("test_fails", "how = " + how + " : i64", "3xf32", "f32"));
  };
  const auto x = floats();
  EXPECT_ERROR(run(with("0"), x),
               Code::kDevice,
               "PJRT_LoadedExecutable_Execute",
               "no such kernel",
               "use another");
  EXPECT_ERROR(run(with("1"), x), Code::kDevice, "plain failure");
  EXPECT_ERROR(run(with("2"), x), Code::kDevice, "unknown exception");
  EXPECT_ERROR(run(with("3"), x), Code::kDevice, "no attribute", "absent");
  EXPECT_ERROR(
      run(with("4"), x), Code::kDevice, "how", "is not an array of i64");
  // Without waiting, the error is in the output.
  EXPECT_ERROR(run(with("1"), x, {.await = false}).at(0).to_host(),
               Code::kDevice,
               "plain failure");
}

TEST_F(FfiTest, UnregisteredTargetIsADeviceError) {
  EXPECT_ERROR(
      run(client().compile(custom_call("test_nobody", "", "3xf32", "3xf32")),
          floats()),
      Code::kDevice,
      "test_nobody");
}

TEST_F(FfiTest, ANameStandsForOneFunction) {
  const FfiTarget same[] = {ffi_target<scale>("test_scale")};
  register_ffi(client().plugin(), same);
  const FfiTarget other[] = {ffi_target<many>("test_scale")};
  EXPECT_ERROR(register_ffi(client().plugin(), other),
               Code::kInvalidArgument,
               "\"test_scale\" stands for another function");
}

}  // namespace
}  // namespace kexue::pjrt
