#include "kexue/io/wire_reader.h"

#include <gtest/gtest.h>

#include "kexue/base/error.h"
#include "tests/support/error_matchers.h"
#include "tests/support/wire_image.h"

namespace kexue::io {
namespace {

using testing::varint;
using testing::wire_bytes;
using testing::wire_fixed32;
using testing::wire_number;

WireReader reader_of(const std::string& image) {
  return WireReader(std::as_bytes(std::span(image.data(), image.size())),
                    "image");
}

void read_all(const std::string& image) {
  WireReader reader = reader_of(image);
  WireField f;
  while (reader.next(&f)) {
  }
}

TEST(WireReader, FieldsHaveTheirValues) {
  const std::string image = wire_number(1, 150) + wire_bytes(2, "testing") +
                            wire_fixed32(3, 7) + wire_number(536870911, ~0ull);
  // protobuf's own documentation: 150 is 96 01, "testing" is 12 07 74 ...
  EXPECT_EQ(image.substr(0, 5), "\x08\x96\x01\x12\x07");
  WireReader reader = reader_of(image);
  WireField f;
  ASSERT_TRUE(reader.next(&f));
  EXPECT_EQ(reader.varint(f), 150u);
  ASSERT_TRUE(reader.next(&f));
  EXPECT_EQ(reader.text(f, 7), "testing");
  EXPECT_EQ(f.offset, 5u);
  EXPECT_ERROR(
      reader.text(f, 6), Code::kUnsupported, "text of 7 bytes, the limit is 6");
  EXPECT_ERROR(reader.varint(f), Code::kCorruptData, "wire type 2, wanted 0");
  ASSERT_TRUE(reader.next(&f));
  EXPECT_EQ(f.value, 7u);
  ASSERT_TRUE(reader.next(&f));
  EXPECT_EQ(f.number, 536870911u);
  EXPECT_EQ(f.value, ~uint64_t{0});
  EXPECT_FALSE(reader.next(&f));
}

TEST(WireReader, PackedAndSingleNumbers) {
  const std::string image =
      wire_bytes(1, varint(1) + varint(300)) + wire_number(1, 2);
  WireReader reader = reader_of(image);
  WireField f;
  std::vector<uint64_t> numbers;
  while (reader.next(&f)) reader.append_varints(f, numbers);
  EXPECT_EQ(numbers, (std::vector<uint64_t>{1, 300, 2}));
}

struct Bad {
  const char* rule;
  std::string image;
  Code code;
  std::string text;
};

TEST(WireReader, EachRuleHasItsError) {
  const Code corrupt = Code::kCorruptData;
  const std::string ones(9, '\xff');
  const std::vector<Bad> all = {
      {"key_cut", "\x80", corrupt, "offset 1: a varint needs 1 bytes, 0 left"},
      {"value_cut", "\x08", corrupt, "a varint needs 1 bytes"},
      {"tenth_byte",
       std::string("\x08").append(ones + "\x02"),
       corrupt,
       "more than 64 bits"},
      {"eleven",
       std::string("\x08").append(ones + "\x81\x01"),
       corrupt,
       "more than 64 bits"},
      {"field_0", std::string("\x00\x00", 2), corrupt, "field number 0"},
      {"field_2_29", varint(uint64_t{1} << 32), corrupt, "number 536870912"},
      {"group", "\x0b", Code::kUnsupported, "field 1 is a group"},
      {"group_end", "\x0c", Code::kUnsupported, "field 1 is a group"},
      {"type_6", "\x0e", corrupt, "wire type 6"},
      {"type_7", "\x0f", corrupt, "wire type 7"},
      {"length",
       "\x0a\x05"
       "abcd",
       corrupt,
       "a field needs 5 bytes, 4 left"},
      {"length_max",
       std::string("\x0a").append(varint(~uint64_t{0})),
       corrupt,
       "needs 18446744073709551615 bytes"},
      {"fixed32", "\x0d\x01\x02", corrupt, "a 32-bit field needs 4 bytes"},
      {"fixed64", "\x09\x01\x02", corrupt, "a 64-bit field needs 8 bytes"},
  };
  for (const Bad& bad : all) {
    SCOPED_TRACE(bad.rule);
    EXPECT_ERROR(read_all(bad.image), bad.code, bad.text, "image: offset");
  }
}

TEST(WireReader, DepthIsLimited) {
  std::string image;
  for (int i = 0; i < 64; ++i) image = wire_bytes(1, image);
  std::vector<WireReader> readers = {reader_of(image)};
  WireField f;
  const auto descend = [&](int levels) {
    for (int i = 0; i < levels; ++i) {
      ASSERT_TRUE(readers.back().next(&f));
      readers.push_back(readers.back().message(f));
    }
  };
  descend(63);
  ASSERT_TRUE(readers.back().next(&f));
  EXPECT_ERROR(
      readers.back().message(f), Code::kUnsupported, "messages deeper than 64");
}

TEST(WireReader, TextMustBeUtf8) {
  for (const char* bad : {"\xc0\x80",
                          "\xed\xa0\x80",
                          "\xf4\x90\x80\x80",
                          "\xe4\xbd",
                          "\x80",
                          "\xff"}) {
    const std::string image = wire_bytes(1, bad);
    WireReader reader = reader_of(image);
    WireField f;
    ASSERT_TRUE(reader.next(&f));
    EXPECT_ERROR(reader.text(f, 100), Code::kCorruptData, "not UTF-8");
  }
  const std::string good = "a\u00e9\u4f60\U0001F600";
  const std::string image = wire_bytes(1, good);
  WireReader reader = reader_of(image);
  WireField f;
  ASSERT_TRUE(reader.next(&f));
  EXPECT_EQ(reader.text(f, 100), good);
}

}  // namespace
}  // namespace kexue::io
