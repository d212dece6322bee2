#include "kexue/pjrt/client.h"

#include <chrono>
#include <thread>

#include "tests/pjrt/device_fixture.h"
#include "tests/support/error_matchers.h"

namespace kexue::pjrt {
namespace {

using testing::doubling;
using testing::run;

class ClientTest : public testing::DeviceTest {};

TEST_F(ClientTest, DescribesItsDevices) {
  EXPECT_FALSE(client().platform_name().empty());
  ASSERT_FALSE(client().devices().empty());
  EXPECT_FALSE(client().devices()[0].kind.empty());
  EXPECT_FALSE(client().devices()[0].description.empty());
}

TEST_F(ClientTest, CpuDeviceCountIsObeyed) {
  if (client().platform_name() != "cpu") GTEST_SKIP() << "not a CPU plugin";
  const auto c = Client::create(client().plugin(), {.cpu_device_count = 3});
  EXPECT_EQ(c.devices().size(), 3u);
  const auto x = c.to_device(HostArray::scalar(2.5f), 2);
  EXPECT_EQ(x.to_host().at(0), 2.5);
  EXPECT_ERROR(c.to_device(HostArray::scalar(2.5f), 3),
               Code::kInvalidArgument,
               "device 3",
               "has 3");
}

TEST_F(ClientTest, MemoryStatsAreCountsOrNothing) {
  const auto stats = client().memory_stats();
  EXPECT_GE(stats.value_or(MemoryStats{}).bytes_in_use, 0);
}

TEST_F(ClientTest, EveryDtypeSurvivesARoundTrip) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    for (const auto& shape : {Shape{}, Shape{2, 3}, Shape{0, 4}}) {
      std::vector<double> v(static_cast<size_t>(shape.size()));
      for (size_t k = 0; k < v.size(); ++k) {
        v[k] = dtype == DType::kBool ? static_cast<double>(k % 2)
                                     : static_cast<double>(k + 1);
      }
      const auto a = HostArray::from_doubles({dtype, shape}, v);
      for (auto how : {HostSemantics::kCopy, HostSemantics::kZeroCopy}) {
        const auto b = client().to_device(a, 0, how);
        EXPECT_EQ(b.type(), a.type());
        EXPECT_EQ(b.bytes(), a.bytes());
        EXPECT_TRUE(b.to_host().identical(a)) << a.type().str();
      }
    }
  }
}

TEST_F(ClientTest, HalfPrecisionBitsAreKept) {
  std::vector<BFloat16> v(3);
  v[0].bits = 0x3f81;  // needs all mantissa bits
  v[1].bits = 0xff80;  // -inf
  v[2].bits = 0x0001;  // subnormal
  const auto a = HostArray::of<BFloat16>({3}, v);
  EXPECT_TRUE(client().to_device(a).to_host().identical(a));
}

TEST_F(ClientTest, CopiedBufferDoesNotSeeLaterWrites) {
  auto a = HostArray::of<float>({2}, {1, 2});
  const auto b = client().to_device(a);
  a.mutable_span<float>()[0] = 7;
  EXPECT_EQ(b.to_host().at(0), 1);
}

TEST_F(ClientTest, ZeroCopyKeepsTheArrayAliveUntilTheBufferIsGone) {
  auto owner = std::make_shared<HostArray>(
      HostArray::full({DType::kF32, Shape{1 << 16}}, 3));
  const std::weak_ptr<HostArray> watch = owner;
  auto view = std::make_unique<HostArray>(
      owner->type(), owner->data(), std::shared_ptr<const void>(owner));
  owner.reset();
  auto b = client().to_device(*view, 0, HostSemantics::kZeroCopy);
  view.reset();
  EXPECT_EQ(b.to_host().at(65535), 3);
  b.reset();
  // The plugin may let go of it on another thread.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!watch.expired() && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(watch.expired());
}

TEST_F(ClientTest, DonatingAZeroCopyBufferLeavesTheArrayAlone) {
  const auto program = client().compile(doubling("1024xf32", true));
  const auto a = HostArray::full({DType::kF32, Shape{1024}}, 3);
  const auto x = client().to_device(a, 0, HostSemantics::kZeroCopy);
  const auto y = run(program, x);
  EXPECT_EQ(y.at(0).to_host().at(5), 6);
  EXPECT_EQ(a.at(5), 3);
}

TEST_F(ClientTest, UnalignedViewsArriveWhole) {
  const auto base = HostArray::of<float>({5}, {0, 1, 2, 3, 4});
  const HostArray view({DType::kF32, Shape{4}},
                       base.data() + sizeof(float),
                       std::make_shared<HostArray>(base));
  const auto b = client().to_device(view, 0, HostSemantics::kZeroCopy);
  EXPECT_EQ(b.to_host().to_doubles(), (std::vector<double>{1, 2, 3, 4}));
}

TEST_F(ClientTest, BuffersOutliveTheClientHandle) {
  std::optional<Buffer> b;
  {
    const auto c = Client::create(client().plugin());
    b = c.to_device(HostArray::scalar(int32_t{9}));
  }
  EXPECT_EQ(b->to_host().at(0), 9);
}

TEST_F(ClientTest, EmptyBufferSaysSo) {
  Buffer b;
  EXPECT_TRUE(b.is_deleted());
  EXPECT_ERROR(b.to_host(), Code::kInvalidArgument, "empty device buffer");
  EXPECT_ERROR(b.await(), Code::kInvalidArgument, "empty device buffer");
  EXPECT_ERROR(b.type(), Code::kInternal, "empty device buffer");
  Buffer full = client().to_device(HostArray::scalar(1.0f));
  b = std::move(full);
  EXPECT_EQ(b.to_host().at(0), 1);
}

TEST_F(ClientTest, UnknownCreateOptionIsHarmlessOrAnError) {
  ClientOptions o;
  o.extra = {{"kexue_no_such_option", std::string("x")}};
  try {
    EXPECT_FALSE(Client::create(client().plugin(), o).devices().empty());
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kDevice);
    EXPECT_NE(e.text().find("PJRT_Client_Create"), std::string::npos);
  }
}

}  // namespace
}  // namespace kexue::pjrt
