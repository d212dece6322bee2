#include "kexue/base/shape.h"

#include <gtest/gtest.h>

#include "tests/support/error_matchers.h"

namespace kexue {
namespace {

TEST(Shape, PrintsAndCounts) {
  const Shape s{8, 128, 512};
  EXPECT_EQ(s.str(), "[8,128,512]");
  EXPECT_EQ(s.size(), 8 * 128 * 512);
  EXPECT_EQ(s[-1], 512);
  EXPECT_EQ(s.strides(), (std::vector<int64_t>{65536, 512, 1}));
  EXPECT_EQ(Shape{}.size(), 1);
  EXPECT_EQ((TensorType{DType::kBF16, {2}}.str()), "bf16[2]");
}

TEST(Shape, RefusesNegativeAndHugeDimensions) {
  EXPECT_ERROR((Shape{2, -1}), Code::kInvalidArgument, "negative", "[2,-1]");
  const Shape huge{int64_t{1} << 40, int64_t{1} << 40};
  EXPECT_ERROR(huge.size(), Code::kUnsupported, "2^62");
  EXPECT_ERROR((Shape{2}[3]), Code::kInvalidArgument, "axis 3");
}

}  // namespace
}  // namespace kexue
