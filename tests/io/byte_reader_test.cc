#include "kexue/io/byte_reader.h"

#include <gtest/gtest.h>

#include <array>

#include "kexue/io/printable.h"
#include "tests/support/error_matchers.h"

namespace kexue::io {
namespace {

std::array<std::byte, 16> counting() {
  std::array<std::byte, 16> out{};
  for (size_t i = 0; i < out.size(); ++i) out[i] = std::byte(i);
  return out;
}

TEST(ByteReader, ReadsLittleEndianInOrder) {
  const auto data = counting();
  ByteReader r(data, "f");
  EXPECT_EQ(r.read<uint8_t>("a"), 0);
  EXPECT_EQ(r.read<uint16_t>("b"), 0x0201);
  EXPECT_EQ(r.read<uint32_t>("c"), 0x06050403u);
  EXPECT_EQ(r.offset(), 7u);
  EXPECT_EQ(r.left(), 9u);
  EXPECT_EQ(r.text(2, "t"), std::string_view("\x07\x08"));
}

TEST(ByteReader, EndNamesOffsetAndBothNumbers) {
  const auto data = counting();
  ByteReader r(data, "weights.bin");
  r.skip(12, "head");
  EXPECT_ERROR(r.read<uint64_t>("length"),
               Code::kCorruptData,
               "weights.bin: offset 12: length needs 8 bytes, 4 left");
  EXPECT_ERROR(r.skip(UINT64_MAX, "tail"), Code::kCorruptData, "4 left");
  EXPECT_EQ(r.offset(), 12u);
}

TEST(ByteReader, SubReaderIsBoundedAndKeepsAbsoluteOffsets) {
  const auto data = counting();
  ByteReader r(data, "f", 100);
  r.skip(2, "head");
  ByteReader sub = r.sub(4, "part");
  EXPECT_EQ(r.offset(), 106u);
  EXPECT_EQ(sub.read<uint8_t>("x"), 2);
  EXPECT_ERROR(sub.skip(4, "rest"), Code::kCorruptData, "offset 103", "3 left");
}

TEST(ByteReader, CountsAreCheckedBeforeUse) {
  const auto data = counting();
  const ByteReader r(data, "f");
  EXPECT_NO_THROW(r.check_count(4, 4, "entries"));
  EXPECT_ERROR(r.check_count(5, 4, "entries"), Code::kCorruptData, "5 entries");
  EXPECT_ERROR(r.check_count(UINT64_MAX / 2, 8, "entries"),
               Code::kCorruptData,
               "16 left");
}

TEST(Printable, EscapesAndCuts) {
  EXPECT_EQ(printable("a\nb\x7f"), "a\\x0ab\\x7f");
  EXPECT_EQ(printable("\xC3\xA9\xC3\xA9", 3), "\xC3\xA9...");
  EXPECT_EQ(ascii("\xC3\xA9"), "\\xc3\\xa9");
}

}  // namespace
}  // namespace kexue::io
