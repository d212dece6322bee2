#include "kexue/io/safetensors.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/faulty_fs.h"
#include "tests/support/safetensors_image.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::FaultyFs;
using testing::open_image;
using testing::safetensors_image;
using testing::TempFolder;
using Access = Safetensors::Access;

std::vector<std::pair<std::string, HostArray>> every_dtype() {
  std::vector<std::pair<std::string, HostArray>> out;
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (dtype == DType::kC128) continue;  // not in the format
    out.emplace_back(
        "t." + std::string(name(dtype)),
        HostArray::from_doubles({dtype, {3}}, std::vector<double>{1, 0, 1}));
  }
  out.emplace_back("scalar", HostArray::scalar(2.5f));
  out.emplace_back("empty", HostArray(DType::kF64, Shape{0, 7}));
  out.emplace_back("name \"with\" \\ \n", HostArray::scalar(int64_t{-1}));
  return out;
}

TEST(Safetensors, RoundTripKeepsEveryDtype) {
  const TempFolder dir;
  const auto tensors = every_dtype();
  save_safetensors(dir / "m", tensors, {{"format", "pt"}, {"k", "v\n"}});
  for (const auto access : {Access::kCopy, Access::kMap}) {
    const auto file = Safetensors::open(dir / "m", {.access = access});
    EXPECT_EQ(file.entries().size(), tensors.size());
    EXPECT_EQ(file.metadata().at("k"), "v\n");
    for (const auto& [name, array] : tensors) {
      EXPECT_TRUE(file.tensor(name).identical(array)) << name;
      EXPECT_EQ(file.type(name), array.type());
    }
  }
}

TEST(Safetensors, RefusesDtypesThatTheFormatLacks) {
  const TempFolder dir;
  EXPECT_ERROR(
      save_safetensors(dir / "m", {{"z", HostArray(DType::kC128, {2})}}),
      Code::kUnsupported,
      "safetensors has no dtype for c128",
      "real and the imaginary part as two tensors");
  EXPECT_FALSE(std::filesystem::exists(dir / "m"));
}

TEST(Safetensors, EmptyFileRoundTrips) {
  const TempFolder dir;
  save_safetensors(dir / "m", {});
  EXPECT_TRUE(Safetensors::open(dir / "m").names().empty());
}

TEST(Safetensors, HeaderIsPaddedToEightBytes) {
  const TempFolder dir;
  save_safetensors(dir / "m", {{"abc", HostArray::scalar(1.0f)}});
  const auto bytes = read_file(dir / "m", 1000);
  EXPECT_EQ((bytes.size() - 4) % 8, 0u);
}

TEST(Safetensors, MappedTensorOutlivesTheReader) {
  const TempFolder dir;
  save_safetensors(dir / "m", {{"a", HostArray::scalar(7.0f)}});
  HostArray a;
  { a = Safetensors::open(dir / "m", {.access = Access::kMap}).tensor("a"); }
  EXPECT_EQ(a.at(0), 7.0);
}

TEST(Safetensors, MisalignedTensorsAreCopied) {
  const TempFolder dir;
  save_safetensors(
      dir / "m",
      {{"a", HostArray::scalar(uint8_t{1})}, {"b", HostArray::scalar(7.0)}});
  const auto file = Safetensors::open(dir / "m", {.access = Access::kMap});
  EXPECT_EQ(file.tensor("b").span<double>()[0], 7.0);
}

TEST(Safetensors, NamesComeInFileOrder) {
  const auto file = open_image(safetensors_image(
      R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},)"
      R"("a":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},)"
      R"("c":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}  )",
      "xyz"));
  EXPECT_EQ(file.names(), (std::vector<std::string>{"c", "b", "a"}));
  EXPECT_EQ(file.tensor("a").at(0), 'z');
}

TEST(Safetensors, MissingTensorNamesFileAndNeighbour) {
  const TempFolder dir;
  save_safetensors(dir / "m", {{"encoder.weight", HostArray::scalar(1.0f)}});
  const auto file = Safetensors::open(dir / "m");
  EXPECT_ERROR(file.tensor("bert.encoder.weight"),
               Code::kNotFound,
               dir / "m",
               "no tensor bert.encoder.weight",
               "hint: it has encoder.weight");
  EXPECT_FALSE(file.contains("weight"));
}

TEST(Safetensors, DtypesWithoutAnEquivalentFailWhenAskedFor) {
  const auto file = open_image(safetensors_image(
      R"({"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]},)"
      R"("b":{"dtype":"U8","shape":[],"data_offsets":[2,3]},)"
      R"("c":{"dtype":"F4","shape":[2],"data_offsets":[3,4]}})",
      "abcd"));
  EXPECT_EQ(file.tensor("b").at(0), 'c');
  EXPECT_ERROR(file.tensor("a"), Code::kUnsupported, "F8_E4M3");
  EXPECT_ERROR(file.type("c"), Code::kUnsupported, "tensor c: dtype F4");
}

TEST(Safetensors, BoolBytesAreZeroOrOne) {
  const auto file = open_image(safetensors_image(
      R"({"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}})",
      std::string("\0\1\2", 3)));
  EXPECT_ERROR(
      file.tensor("a"), Code::kCorruptData, "BOOL byte 2 at element 2");
}

TEST(Safetensors, EveryReadFaultIsAnErrorOrHarmless) {
  const TempFolder dir;
  const auto want = HostArray::of<float>({3}, std::vector<float>{1, 2, 3});
  save_safetensors(dir / "m", {{"a", want}});
  const std::vector<FaultyFs::Fault> faults = {
      {EIO, false}, {EINTR, false}, {0, true}};
  for (const auto& fault : faults) {
    bool untouched = false;
    for (int k = 1; !untouched; ++k) {
      ASSERT_LT(k, 100);
      FaultyFs fs(k, fault, FaultyFs::When::kOnce);
      try {
        const auto file = Safetensors::open(dir / "m", {}, fs);
        EXPECT_TRUE(file.tensor("a").identical(want));
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::kIo);
        EXPECT_FALSE(fault.short_transfer);
      }
      untouched = !fs.fired();
    }
  }
}

TEST(Safetensors, FileCutAfterOpeningIsCorrupt) {
  const TempFolder dir;
  save_safetensors(dir / "m", {{"a", HostArray(DType::kF32, {1000})}});
  const auto file = Safetensors::open(dir / "m");
  ASSERT_EQ(::truncate((dir / "m").c_str(), 500), 0);
  EXPECT_ERROR(file.tensor("a"), Code::kCorruptData, "more wanted");
}

TEST(SaveSafetensors, FaultsLeaveTheOldFile) {
  const auto old = HostArray::scalar(1.0f);
  const auto fresh = HostArray::scalar(2.0f);
  bool untouched = false;
  for (int k = 1; !untouched; ++k) {
    ASSERT_LT(k, 100);
    const TempFolder dir;
    save_safetensors(dir / "m", {{"a", old}});
    FaultyFs fs(k, {ENOSPC, false}, FaultyFs::When::kOnce);
    bool threw = false;
    try {
      save_safetensors(dir / "m", {{"a", fresh}}, {}, fs);
    } catch (const Error& e) {
      threw = true;
      EXPECT_EQ(e.code(), Code::kIo);
    }
    untouched = !fs.fired();
    const auto now = Safetensors::open(dir / "m").tensor("a").at(0);
    EXPECT_TRUE(now == 2.0 || (threw && now == 1.0)) << "call " << k;
    EXPECT_EQ(dir.names().size(), 1u) << "call " << k;
  }
}

TEST(SaveSafetensors, BadNamesAreRefused) {
  const TempFolder dir;
  const auto x = HostArray::scalar(1.0f);
  EXPECT_ERROR(save_safetensors(dir / "m", {{"a", x}, {"a", x}}),
               Code::kInvalidArgument,
               "name \"a\" is taken");
  EXPECT_ERROR(save_safetensors(dir / "m", {{"__metadata__", x}}),
               Code::kInvalidArgument,
               "__metadata__");
  EXPECT_ERROR(save_safetensors(dir / "m", {{"\xff", x}}),
               Code::kInvalidArgument,
               "UTF-8");
  EXPECT_TRUE(dir.names().empty());
}

}  // namespace
}  // namespace kexue::io
