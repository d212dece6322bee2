#include "kexue/base/error.h"

#include <gtest/gtest.h>

#include "kexue/base/checked.h"
#include "tests/support/error_matchers.h"

namespace kexue {
namespace {

TEST(Error, TextScopeAndHintStandOnLinesOfTheirOwn) {
  const Error e = Error(Code::kInvalidArgument, "dense: wrong", "transpose it")
                      .with_scope("encoder/ffn");
  EXPECT_STREQ(e.what(), "dense: wrong\nin encoder/ffn\nhint: transpose it");
  EXPECT_EQ(e.with_scope("outer").scope(), "encoder/ffn");
}

TEST(Checked, OverflowIsCorruptData) {
  EXPECT_EQ(checked_add(1, 2, "x"), 3u);
  EXPECT_ERROR(checked_add(~0ULL, 1, "header"), Code::kCorruptData, "header");
  EXPECT_ERROR(
      checked_mul(1ULL << 40, 1ULL << 40, "dims"), Code::kCorruptData, "dims");
  EXPECT_ERROR((narrow<int32_t>(int64_t{1} << 40, "count")),
               Code::kCorruptData,
               "count");
  EXPECT_ERROR((narrow<uint8_t>(-1, "byte")), Code::kCorruptData, "byte");
}

}  // namespace
}  // namespace kexue
