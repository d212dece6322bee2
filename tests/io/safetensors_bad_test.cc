// One bad file per rule of the format.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kexue/io/atomic_file.h"
#include "kexue/io/safetensors.h"
#include "tests/support/error_matchers.h"
#include "tests/support/safetensors_image.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::open_image;
using testing::safetensors_image;

struct Bad {
  const char* rule;
  std::string image;
  Code code;
  std::string text;
};

std::string tensor(const std::string& name,
                   const std::string& dtype,
                   const std::string& shape,
                   const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape +
         "],\"data_offsets\":[" + offsets + "]}";
}

std::string one(const std::string& dtype,
                const std::string& shape,
                const std::string& offsets,
                size_t data_bytes) {
  return safetensors_image("{" + tensor("w", dtype, shape, offsets) + "}",
                           std::string(data_bytes, '\0'));
}

std::string raw(const std::string& header, size_t data_bytes = 0) {
  return safetensors_image(header, std::string(data_bytes, '\0'));
}

std::string with_length(uint64_t length, size_t file_bytes) {
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + std::string(file_bytes - 8, ' ');
}

std::vector<Bad> length_rules() {
  const Code corrupt = Code::kCorruptData;
  return {
      {"empty", "", corrupt, "needs 8 bytes, 0 left"},
      {"short", "1234567", corrupt, "needs 8 bytes, 7 left"},
      {"only_length", with_length(2, 8), corrupt, "header of 2 bytes"},
      {"length_0", with_length(0, 100), corrupt, "header of 0 bytes"},
      {"length_1", with_length(1, 100), corrupt, "wanted 2..92"},
      {"length_beyond_file", with_length(93, 100), corrupt, "of 93 bytes"},
      {"length_max", with_length(UINT64_MAX, 100), corrupt, "wanted 2..92"},
      {"length_wraps", with_length(UINT64_MAX - 7, 100), corrupt, "2..92"},
      {"first_byte", raw(" {}"), corrupt, "begins without '{'"},
      {"zeros", with_length(50, 100), corrupt, "begins without '{'"},
      {"newline_after", raw("{}\n"), corrupt, "only spaces may follow"},
      {"tab_after", raw("{}\t "), corrupt, "only spaces may follow"},
      {"text_after", raw("{} x"), corrupt, "only spaces may follow"},
      {"second_object", raw("{}{}"), corrupt, "header byte 3"},
      {"zip",
       std::string("PK\3\4", 4) + std::string(60, ' '),
       Code::kUnsupported,
       "pickle"},
      {"bare_pickle",
       "\x80\x02}q\x01" + std::string(60, ' '),
       Code::kUnsupported,
       "convert it once"},
  };
}

std::vector<Bad> json_rules() {
  const Code corrupt = Code::kCorruptData;
  return {
      {"cut_json", raw("{\"a\":}"), corrupt, "header byte"},
      {"bad_utf8_name",
       raw("{" + tensor("\xff", "U8", "", "0,1") + "}", 1),
       corrupt,
       "UTF-8"},
      {"surrogate",
       raw("{" + tensor("\\ud800", "U8", "", "0,1") + "}", 1),
       corrupt,
       "surrogate"},
      {"duplicate_name",
       raw("{" + tensor("w", "U8", "", "0,1") + "," +
               tensor("w", "U8", "", "1,2") + "}",
           2),
       corrupt,
       "the name appears twice"},
      {"duplicate_after_escape",
       raw("{" + tensor("w", "U8", "", "0,1") + "," +
               tensor("\\u0077", "U8", "", "1,2") + "}",
           2),
       corrupt,
       "the name appears twice"},
      {"duplicate_metadata",
       raw(R"({"__metadata__":{},"__metadata__":{}})"),
       corrupt,
       "twice"},
      {"duplicate_metadata_key",
       raw(R"({"__metadata__":{"a":"1","a":"2"}})"),
       corrupt,
       "key \"a\" twice"},
      {"metadata_number",
       raw(R"({"__metadata__":{"a":1}})"),
       corrupt,
       "a number for a"},
      {"metadata_nested",
       raw(R"({"__metadata__":{"a":{}}})"),
       corrupt,
       "an object for a"},
      {"metadata_array",
       raw(R"({"__metadata__":[]})"),
       corrupt,
       "an array in the wrong place"},
      {"metadata_null", raw(R"({"__metadata__":null})"), corrupt, "null"},
      {"unknown_key",
       raw(R"({"w":{"dtype":"U8","shape":[],"data_offsets":[0,0],"x":1}})"),
       corrupt,
       "unknown key \"x\""},
      {"duplicate_key",
       raw(R"({"w":{"dtype":"U8","dtype":"U8","shape":[]}})"),
       corrupt,
       "key \"dtype\" twice"},
      {"no_dtype",
       raw(R"({"w":{"shape":[],"data_offsets":[0,0]}})"),
       corrupt,
       "all required"},
      {"no_shape",
       raw(R"({"w":{"dtype":"U8","data_offsets":[0,0]}})"),
       corrupt,
       "all required"},
      {"no_offsets",
       raw(R"({"w":{"dtype":"U8","shape":[]}})"),
       corrupt,
       "all required"},
      {"dtype_number",
       raw(R"({"w":{"dtype":1}})"),
       corrupt,
       "a number for dtype"},
      {"dtype_list",
       raw(R"({"w":{"dtype":[]}})"),
       corrupt,
       "an array for dtype"},
      {"shape_text",
       raw(R"({"w":{"shape":"[1]"}})"),
       corrupt,
       "text for shape"},
      {"shape_nested",
       raw(R"({"w":{"shape":[[1]]}})"),
       corrupt,
       "an array in the wrong place"},
      {"shape_true", raw(R"({"w":{"shape":[true]}})"), corrupt, "a boolean"},
      {"tensor_text", raw(R"({"w":"x"})"), corrupt, "text in the wrong place"},
      {"deep",
       raw("{\"w\":" + std::string(100'000, '[') + "}"),
       corrupt,
       "wrong place"},
      {"top_array_later",
       raw(R"({"w":[)"
           "]}"),
       corrupt,
       "wrong place"},
  };
}

std::vector<Bad> number_rules() {
  const Code corrupt = Code::kCorruptData;
  const std::string rank_17 = "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1";
  return {
      {"negative_dim", one("U8", "-1", "0,1", 1), corrupt, "negative"},
      {"float_dim", one("U8", "1.0", "0,1", 1), corrupt, "no unsigned"},
      {"dim_2_64",
       one("U8", "18446744073709551616", "0,1", 1),
       corrupt,
       "no unsigned"},
      {"dim_2_63",
       one("U8", "9223372036854775808", "0,1", 1),
       corrupt,
       "dimension 9223372036854775808 is too large"},
      {"negative_offset", one("U8", "1", "-1,0", 1), corrupt, "negative"},
      {"one_offset", one("U8", "1", "1", 1), corrupt, "1 data_offsets"},
      {"no_offset", one("U8", "1", "", 1), corrupt, "0 data_offsets"},
      {"three_offsets", one("U8", "1", "0,1,2", 1), corrupt, "more than two"},
      {"rank",
       one("U8", rank_17, "0,1", 1),
       Code::kUnsupported,
       "rank above 16"},
      {"dtype_unknown",
       one("F31", "1", "0,4", 4),
       Code::kUnsupported,
       "unknown dtype \"F31\""},
      {"dtype_case",
       one("f32", "1", "0,4", 4),
       Code::kUnsupported,
       "unknown dtype"},
      {"product_overflow",
       one("F32", "4294967296,4294967296,4294967296", "0,0", 0),
       corrupt,
       "overflows"},
      {"product_wraps_to_zero",
       one("U8", "4294967296,4294967296", "0,0", 0),
       corrupt,
       "overflows"},
      {"too_few_bytes",
       one("F32", "3", "0,8", 8),
       corrupt,
       "takes 96 bits, 8 bytes declared"},
      {"too_many_bytes",
       one("F32", "3", "0,16", 16),
       corrupt,
       "16 bytes declared"},
      {"half_byte", one("F4", "3", "0,1", 1), corrupt, "takes 12 bits"},
      {"reversed", one("U8", "1", "1,0", 1), corrupt, "data_offsets 1 > 0"},
      {"empty_but_long", one("F32", "0,5", "0,4", 4), corrupt, "takes 0 bits"},
      {"scalar_empty", one("F32", "", "0,0", 0), corrupt, "takes 32 bits"},
  };
}

std::vector<Bad> layout_rules() {
  const Code corrupt = Code::kCorruptData;
  const auto two = [](const std::string& a, const std::string& b, size_t n) {
    return raw("{" + a + "," + b + "}", n);
  };
  return {
      {"hole_at_start",
       one("U8", "1", "1,2", 2),
       corrupt,
       "gap: begins at 1, the previous tensor ends at 0"},
      {"hole",
       two(tensor("a", "U8", "1", "0,1"), tensor("b", "U8", "1", "2,3"), 3),
       corrupt,
       "gap"},
      {"overlap",
       two(tensor("a", "U8", "2", "0,2"), tensor("b", "U8", "2", "1,3"), 3),
       corrupt,
       "overlap: begins at 1, the previous tensor ends at 2"},
      {"same_place",
       two(tensor("a", "U8", "2", "0,2"), tensor("b", "U8", "2", "0,2"), 2),
       corrupt,
       "overlap"},
      {"empty_inside",
       two(tensor("a", "U8", "2", "0,2"), tensor("b", "U8", "0", "1,1"), 2),
       corrupt,
       "overlap"},
      {"empty_outside",
       two(tensor("a", "U8", "2", "0,2"), tensor("b", "U8", "0", "9,9"), 2),
       corrupt,
       "gap"},
      {"beyond_file",
       one("F32", "4", "0,16", 15),
       corrupt,
       "ends at 16, the file has 15 data bytes"},
      {"far_beyond_file",
       one("U8", "1152921504606846976", "0,1152921504606846976", 1),
       corrupt,
       "ends at 1152921504606846976, the file has 1 data bytes"},
      {"larger_than_any_memory",
       one("U8", "9223372036854775807", "0,9223372036854775807", 1),
       corrupt,
       "overflows"},
      {"trailing",
       one("F32", "4", "0,16", 17),
       corrupt,
       "the tensors end at 16, the file has 17"},
      {"no_tensors_but_data", raw("{}", 1), corrupt, "end at 0"},
  };
}

TEST(SafetensorsBad, EachRuleHasItsError) {
  const testing::TempFolder dir;
  size_t count = 0;
  for (const auto& table :
       {length_rules(), json_rules(), number_rules(), layout_rules()}) {
    for (const auto& bad : table) {
      SCOPED_TRACE(bad.rule);
      ++count;
      EXPECT_ERROR(open_image(bad.image), bad.code, bad.text);
      // The same through a real file, whose path must be in the text.
      write_file(dir / bad.rule, bad.image);
      EXPECT_ERROR(Safetensors::open(dir / bad.rule),
                   bad.code,
                   bad.text,
                   dir / bad.rule);
    }
  }
  EXPECT_GE(count, 65u);
}

TEST(SafetensorsBad, HeaderLimitIsUnsupported) {
  const testing::TempFolder dir;
  const auto path = dir / "big";
  write_file(path, with_length(100'000'001, 16));
  ASSERT_EQ(::truncate(path.c_str(), 100'000'100), 0);  // sparse
  EXPECT_ERROR(Safetensors::open(path),
               Code::kUnsupported,
               "header of 100000001 bytes, the limit is 100000000");
}

TEST(SafetensorsBad, TrailingBytesMayBeAllowedAndNothingElse) {
  EXPECT_NO_THROW(open_image(one("F32", "4", "0,16", 17), true));
  EXPECT_ERROR(open_image(one("F32", "4", "0,16", 15), true),
               Code::kCorruptData,
               "ends at 16");
}

TEST(SafetensorsBad, EveryCutOfAGoodFileIsRefused) {
  const auto good = one("F32", "4", "0,16", 16);
  EXPECT_NO_THROW(open_image(good));
  for (size_t n = 0; n < good.size(); ++n) {
    EXPECT_THROW(open_image(good.substr(0, n)), Error) << n;
  }
}

TEST(SafetensorsBad, FoldersAndDevicesAreRefused) {
  EXPECT_ERROR(
      Safetensors::open("/dev/zero"), Code::kUnsupported, "regular file");
  EXPECT_ERROR(Safetensors::open("/nowhere/x"), Code::kNotFound, "/nowhere/x");
}

}  // namespace
}  // namespace kexue::io
