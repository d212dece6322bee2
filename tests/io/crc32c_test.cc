#include "kexue/io/crc32c.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace kexue::io {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  std::vector<std::byte> out;
  for (const char c : text) out.push_back(static_cast<std::byte>(c));
  return out;
}

// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
TEST(Crc32c, AgreesWithPublishedValues) {
  std::vector<std::byte> rising;
  std::vector<std::byte> falling;
  for (int i = 0; i < 32; ++i) {
    rising.push_back(static_cast<std::byte>(i));
    falling.push_back(static_cast<std::byte>(31 - i));
  }
  const struct {
    std::vector<std::byte> bytes;
    uint32_t crc;
  } known[] = {
      {std::vector<std::byte>(32, std::byte{0}), 0x8a9136aau},
      {std::vector<std::byte>(32, std::byte{0xff}), 0x62a8ab43u},
      {rising, 0x46dd794eu},
      {falling, 0x113fdb5cu},
      {bytes_of("123456789"), 0xe3069283u},
      {{}, 0u},
  };
  for (const auto& [bytes, crc] : known) {
    EXPECT_EQ(crc32c(bytes), crc);
    EXPECT_EQ(crc32c_portable(bytes), crc);
  }
}

TEST(Crc32c, PartsGiveTheWhole) {
  const auto bytes = bytes_of("the quick brown fox jumps over the lazy dog");
  const std::span<const std::byte> all(bytes);
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    EXPECT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(all));
    EXPECT_EQ(crc32c_portable(all.subspan(cut), crc32c(all.first(cut))),
              crc32c(all));
  }
}

TEST(Crc32c, MaskIsUndone) {
  for (const uint32_t crc : {0u, 1u, 0xe3069283u, 0xffffffffu}) {
    EXPECT_EQ(unmask_crc(mask_crc(crc)), crc);
    EXPECT_NE(mask_crc(crc), crc);
  }
}

}  // namespace
}  // namespace kexue::io
