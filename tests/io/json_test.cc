#include "kexue/io/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

TEST(Json, ParsesWhatIsValid) {
  const auto j = parse_json(R"({"a": [1, -2, 1.5], "b": {"a": null}})", "t");
  EXPECT_EQ(j["a"].size(), 3u);
  EXPECT_TRUE(j["b"]["a"].is_null());
}

TEST(Json, DuplicateKeysAreCorruptAtAnyDepth) {
  EXPECT_ERROR(parse_json(R"({"a":1,"a":2})", "t"),
               Code::kCorruptData,
               "t: key \"a\" twice");
  EXPECT_ERROR(parse_json(R"([{"b":{"x":1,"x":1}}])", "t"),
               Code::kCorruptData,
               "key \"x\" twice");
  EXPECT_NO_THROW(parse_json(R"([{"a":1},{"a":1}])", "t"));
}

TEST(Json, DepthIsLimited) {
  const auto nested = [](size_t n) {
    return std::string(n, '[') + std::string(n, ']');
  };
  EXPECT_NO_THROW(parse_json(nested(32), "t"));
  EXPECT_ERROR(
      parse_json(nested(33), "t"), Code::kUnsupported, "deeper than 32");
  EXPECT_ERROR(
      parse_json(std::string(1'000'000, '['), "t"), Code::kUnsupported, "32");
}

TEST(Json, SizeAndCountAreLimited) {
  EXPECT_ERROR(parse_json("[1,2,3]", "t", {.max_bytes = 6}),
               Code::kUnsupported,
               "7 bytes, the limit is 6");
  EXPECT_ERROR(parse_json("[1,2,3]", "t", {.max_values = 3}),
               Code::kUnsupported,
               "more than 3 values");
}

TEST(Json, SyntaxErrorsNameTheByte) {
  EXPECT_ERROR(parse_json("[1,", "t"), Code::kCorruptData, "t: byte 4");
  EXPECT_ERROR(parse_json("[1] x", "t"), Code::kCorruptData, "byte 5");
  EXPECT_ERROR(parse_json("\"\xff\"", "t"), Code::kCorruptData, "UTF-8");
  EXPECT_ERROR(parse_json("", "t"), Code::kCorruptData, "byte 1");
}

TEST(Json, FileErrorsNameTheFile) {
  const testing::TempFolder dir;
  write_file(dir / "a.json", "{\"a\":}");
  EXPECT_ERROR(
      parse_json_file(dir / "a.json"), Code::kCorruptData, dir / "a.json");
  EXPECT_ERROR(parse_json_file(dir / "b.json"), Code::kNotFound, "b.json");
}

}  // namespace
}  // namespace kexue::io
