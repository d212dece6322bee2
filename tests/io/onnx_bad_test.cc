// One bad file per rule of the format.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <vector>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/support/wire_image.h"

namespace kexue::io {
namespace {

using testing::onnx_model;
using testing::onnx_tensor;
using testing::varint;
using testing::wire_bytes;
using testing::wire_fixed32;
using testing::wire_number;

struct Bad {
  const char* rule;
  std::string image;
  Code code;
  std::string text;
};

constexpr Code kCorrupt = Code::kCorruptData;
constexpr Code kRefused = Code::kUnsupported;
constexpr uint64_t kFloat = 1, kUint8 = 2, kInt32 = 6, kBool = 9, kHalf = 10;

// TensorProto without data, called w.
std::string empty(uint64_t type, const std::vector<uint64_t>& dims) {
  std::string out = wire_number(2, type) + wire_bytes(8, "w");
  for (const uint64_t d : dims) out += wire_number(1, d);
  return out;
}

std::string node(const std::string& more) {
  return wire_bytes(1, wire_bytes(4, "Add") + more);
}

std::vector<Bad> model_rules() {
  return {
      {"empty", "", kCorrupt, "no graph: is this ONNX?"},
      {"no_graph", wire_number(1, 8), kCorrupt, "no graph"},
      {"graph_number", wire_number(7, 1), kCorrupt, "wire type 0, wanted 2"},
      {"two_graphs",
       onnx_model({}) + wire_bytes(7, ""),
       kCorrupt,
       "a second graph"},
      {"functions", onnx_model({}) + wire_bytes(25, ""), kRefused, "functions"},
      {"domain",
       onnx_model({}, node(wire_bytes(7, "evil.ops"))),
       kRefused,
       "an operator of domain \"evil.ops\""},
      {"node_name",
       onnx_model({}, node(wire_bytes(3, "\xff"))),
       kCorrupt,
       "not UTF-8"},
      {"input_number",
       onnx_model({}, node(wire_number(1, 1))),
       kCorrupt,
       "field 1 has wire type 0"},
      {"cut", onnx_model({}) + "\x3a\x7f", kCorrupt, "127 bytes, 0 left"},
      {"twice",
       onnx_model({onnx_tensor("w", kUint8, {1}, "x"),
                   onnx_tensor("w", kUint8, {1}, "x")}),
       kCorrupt,
       "initialiser w twice"},
      {"name_long",
       onnx_model({onnx_tensor(std::string((1 << 20) + 1, 'n'), 2, {1}, "x")}),
       kRefused,
       "text of 1048577 bytes"},
  };
}

std::vector<Bad> tensor_rules() {
  const auto one = [](const std::string& tensor) {
    return onnx_model({tensor});
  };
  const uint64_t big = uint64_t{1} << 32;
  return {
      {"no_name",
       one(wire_number(2, 2) + wire_bytes(9, "x")),
       kCorrupt,
       "without name"},
      {"type_0", one(onnx_tensor("w", 0, {1}, "x")), kRefused, "data type 0"},
      {"type_99", one(onnx_tensor("w", 99, {1}, "x")), kRefused, "type 99"},
      {"rank",
       one(onnx_tensor("w", 2, std::vector<uint64_t>(17, 1), "x")),
       kRefused,
       "rank 17, the limit is 16"},
      {"dim_negative",
       one(onnx_tensor("w", 2, {~uint64_t{0}}, "x")),
       kCorrupt,
       "dimension -1"},
      {"product",
       one(onnx_tensor("w", 2, {big, big, big}, "x")),
       kCorrupt,
       "overflows"},
      {"raw_short",
       one(onnx_tensor("w", kFloat, {2}, "1234567")),
       kCorrupt,
       "FLOAT [2] takes 8 bytes, 7 are there"},
      {"raw_long",
       one(onnx_tensor("w", kFloat, {1}, "12345")),
       kCorrupt,
       "takes 4 bytes, 5 are there"},
      {"no_data", one(empty(kFloat, {3})), kCorrupt, "0 are there"},
      {"raw_and_typed",
       one(onnx_tensor("w", kInt32, {1}, "1234") + wire_number(5, 1)),
       kCorrupt,
       "both raw data and numbers"},
      {"two_fields",
       one(empty(kInt32, {2}) + wire_number(5, 1) + wire_number(7, 1)),
       kCorrupt,
       "numbers in two fields"},
      {"wrong_field",
       one(empty(kInt32, {1}) + wire_number(7, 1)),
       kCorrupt,
       "INT32 in field 7"},
      {"typed_count",
       one(empty(kInt32, {3}) + wire_bytes(5, varint(1) + varint(2))),
       kCorrupt,
       "takes 12 bytes, 8 are there"},
      {"typed_range",
       one(empty(kUint8, {1}) + wire_number(5, 256)),
       kCorrupt,
       "256 is no UINT8"},
      {"typed_half_range",
       one(empty(kHalf, {1}) + wire_number(5, 65536)),
       kCorrupt,
       "65536 is no FLOAT16"},
      {"float_as_varint",
       one(empty(kFloat, {1}) + wire_number(4, 1)),
       kCorrupt,
       "field 4 is no float"},
      {"float_packed_cut",
       one(empty(kFloat, {1}) + wire_bytes(4, "123")),
       kCorrupt,
       "3 are there"},
      {"segment",
       one(empty(kFloat, {1}) + wire_bytes(3, "")),
       kRefused,
       "segments"},
      {"external_in_memory",
       one(empty(kFloat, {1}) + wire_number(14, 1)),
       kRefused,
       "without a folder"},
      {"external_and_raw",
       one(onnx_tensor("w", kFloat, {1}, "1234") + wire_number(14, 1)),
       kCorrupt,
       "both external and inner"},
      {"raw_number",
       one(empty(kFloat, {1}) + wire_number(9, 1)),
       kCorrupt,
       "field 9 has wire type 0"},
  };
}

TEST(OnnxBad, EachRuleHasItsError) {
  const testing::TempFolder dir;
  size_t count = 0;
  for (const auto& rules : {model_rules(), tensor_rules()}) {
    for (const Bad& bad : rules) {
      SCOPED_TRACE(bad.rule);
      ++count;
      EXPECT_ERROR(testing::open_onnx(bad.image), bad.code, bad.text, "image");
    }
  }
  EXPECT_GE(count, 30u);
}

TEST(OnnxBad, BoolsAreZeroOrOne) {
  const auto file =
      testing::open_onnx(onnx_model({onnx_tensor("w", kBool, {1}, "\2")}));
  EXPECT_ERROR(file->tensor(0), kCorrupt, "tensor w: BOOL byte 2");
}

std::string pair(const std::string& key, const std::string& value) {
  return wire_bytes(13, wire_bytes(1, key) + wire_bytes(2, value));
}

TEST(OnnxBad, ExternalDataKeepsToItsFolderAndItsFile) {
  const testing::TempFolder dir;
  write_file(dir / "data", std::string(16, 'x'));
  write_file(dir / "model.onnx", "");
  ASSERT_EQ(::mkdir((dir / "sub").c_str(), 0700), 0);
  const auto refused = [&](const std::string& pairs,
                           Code code,
                           const std::string& text) {
    write_file(dir / "model.onnx",
               onnx_model({empty(kFloat, {2}) + pairs + wire_number(14, 1)}));
    EXPECT_ERROR(Onnx::open(dir / "model.onnx"), code, text);
  };
  const std::string here = pair("location", "data");
  refused("", kCorrupt, "without a location");
  refused(here + here, kCorrupt, "external location twice");
  refused(here + pair("key", "1"), kRefused, "external data with \"key\"");
  for (const char* path : {"../data", "/etc/passwd", "sub/data", ".", ""}) {
    refused(pair("location", path), kCorrupt, "is no plain file name");
  }
  refused(pair("location", "none"), Code::kNotFound, "none");
  refused(pair("location", "sub"), kRefused, "not a regular file");
  refused(here + pair("offset", "9"), kCorrupt, "8 bytes at 9");
  refused(here + pair("offset", "18446744073709551615"), kCorrupt, "overflows");
  refused(here + pair("offset", "-1"), kCorrupt, "external offset \"-1\"");
  refused(here + pair("offset", "0x1"), kCorrupt, "external offset \"0x1\"");
  refused(here + pair("length", "4"), kCorrupt, "4 are external");
  write_file(dir / "model.onnx",
             onnx_model({empty(kFloat, {2}) + here + pair("offset", "8") +
                         wire_number(14, 1)}));
  EXPECT_NO_THROW(Onnx::open(dir / "model.onnx")->tensor(0));
}

TEST(OnnxModules, TwoWeightsOfOneNameAreRefused) {
  const auto matmul = [](const std::string& weight) {
    return wire_bytes(1,
                      wire_bytes(1, "x") + wire_bytes(1, weight) +
                          wire_bytes(2, "y") + wire_bytes(3, "/m/MatMul") +
                          wire_bytes(4, "MatMul"));
  };
  const std::string four(4, '\0');
  const auto file = testing::open_onnx(
      onnx_model({onnx_tensor("onnx::MatMul_1", kFloat, {1, 1}, four),
                  onnx_tensor("onnx::MatMul_2", kFloat, {1, 1}, four)},
                 matmul("onnx::MatMul_1") + matmul("onnx::MatMul_2")));
  EXPECT_ERROR(onnx_modules(file),
               kRefused,
               "onnx::MatMul_2 and onnx::MatMul_1 would both be m.weight",
               "--map none");
}

TEST(OnnxModules, OnlyIntegersAreDequantised) {
  const auto file = testing::open_onnx(
      onnx_model({onnx_tensor("a.weight_quantized", kFloat, {1}, "1234"),
                  onnx_tensor("a.weight_scale", kFloat, {}, "1234")}));
  EXPECT_ERROR(onnx_modules(file)->tensor(0),
               kRefused,
               "a.weight: scale f32[] for f32[1]");
}

TEST(OnnxModules, QuantisedNumbersNeedTheirScale) {
  const auto file = testing::open_onnx(
      onnx_model({onnx_tensor("a.weight_quantized", kUint8, {2}, "xx")}));
  EXPECT_ERROR(onnx_modules(file), kRefused, "without a.weight_scale");
}

}  // namespace
}  // namespace kexue::io
