#include "kexue/base/sharding.h"

#include <gtest/gtest.h>

#include "tests/support/error_matchers.h"

namespace kexue {
namespace {

const Mesh kGrid{{"data", 2}, {"model", 3}};

TEST(Mesh, LastAxisRunsFastest) {
  EXPECT_EQ(kGrid.devices(), 6U);
  EXPECT_EQ(kGrid.str(), "data=2,model=3");
  for (size_t d = 0; d < 6; ++d) {
    EXPECT_EQ(kGrid.coordinate(d, "data"), static_cast<int64_t>(d / 3));
    EXPECT_EQ(kGrid.coordinate(d, "model"), static_cast<int64_t>(d % 3));
  }
  EXPECT_EQ(Mesh().devices(), 1U);
  EXPECT_EQ(Mesh().str(), "one device");
}

TEST(Mesh, BadAxesAreRefused) {
  EXPECT_ERROR(Mesh({{"a", 2}, {"a", 2}}),
               Code::kInvalidArgument,
               "mesh: axis \"a\" comes twice");
  EXPECT_ERROR((Mesh{{"a", 0}}),
               Code::kInvalidArgument,
               "axis \"a\" must have at least 1 device, got 0");
  EXPECT_ERROR((Mesh{{"a\"b", 2}}), Code::kInvalidArgument, "letters, digits");
  EXPECT_ERROR((Mesh{{"", 2}}), Code::kInvalidArgument, "got \"\"");
  EXPECT_ERROR((Mesh{{"a", int64_t{1} << 40}, {"b", int64_t{1} << 40}}),
               Code::kUnsupported,
               "more than 1048576 devices");
}

TEST(Sharding, TextReadsBack) {
  for (const Sharding& s : {Sharding(),
                            Sharding{{"data"}},
                            Sharding{{}, {"model"}},
                            Sharding{{"data", "model"}, {}, {}}}) {
    EXPECT_EQ(Sharding::parse(s.str()), s) << s.str();
    EXPECT_EQ(Sharding::parse(s.str()).str(), s.str());
  }
  EXPECT_EQ((Sharding{{"data", "model"}, {}}).str(), "[{data,model}, {}]");
  for (const char* bad : {"",
                          "[",
                          "data",
                          "[{data]",
                          "[data]",
                          "[{a,}]",
                          "[{{a}}]",
                          "[{a,,b}]"}) {
    EXPECT_ERROR(Sharding::parse(bad), Code::kInvalidArgument) << bad;
  }
}

TEST(Sharding, TrailingWholeDimensionsDoNotCount) {
  EXPECT_EQ((Sharding{{"data"}}), (Sharding{{"data"}, {}}));
  EXPECT_EQ(Sharding(), (Sharding{{}, {}}));
  EXPECT_FALSE((Sharding{{"data"}}) == (Sharding{{}, {"data"}}));
  EXPECT_TRUE((Sharding{{}, {}}).replicated());
}

TEST(Sharding, SameAxisTwiceIsRefused) {
  EXPECT_ERROR((Sharding{{"data"}, {"data"}}),
               Code::kInvalidArgument,
               "sharding [{data}, {data}] uses axis \"data\" twice",
               "one dimension");
  EXPECT_ERROR((Sharding{{"data", "data"}}), Code::kInvalidArgument, "twice");
}

TEST(Sharding, WhatDoesNotFitShowsBoth) {
  EXPECT_ERROR((Sharding{{"data"}, {"model"}}).check(kGrid, {4, 4}),
               Code::kInvalidArgument,
               "3 devices do not divide dimension 1 of [4,4], which is 4",
               "data=2,model=3",
               "multiple of 3");
  EXPECT_ERROR((Sharding{{"date"}}).check(kGrid, {4}),
               Code::kInvalidArgument,
               "mesh data=2,model=3 has no axis \"date\"");
  EXPECT_ERROR((Sharding{{}, {"data"}}).check(kGrid, {4}),
               Code::kInvalidArgument,
               "has 2 dimensions, the tensor is [4]");
}

TEST(Sharding, FirstAxisOfADimensionIsTheCoarsest) {
  const Sharding s{{"model", "data"}};
  EXPECT_EQ(s.local(kGrid, {12}), (Shape{2}));
  // Device 1 stands at data 0, model 1: block 1 * 2 + 0.
  EXPECT_EQ(s.start(kGrid, {12}, 1), std::vector<int64_t>{4});
  EXPECT_EQ(s.start(kGrid, {12}, 3), std::vector<int64_t>{2});
}

TEST(Sharding, AxesThatTheMeshLacksCanBeDropped) {
  const Sharding s{{"data"}, {"model", "pipe"}};
  EXPECT_EQ(s.restricted_to(kGrid), (Sharding{{"data"}, {"model"}}));
  EXPECT_EQ(s.restricted_to(Mesh()), Sharding());
  EXPECT_EQ((Sharding{{"data"}}).with(2, 1, "model"),
            (Sharding{{"data"}, {"model"}}));
}

// Every device's block cut out and put back gives the array again.
TEST(Blocks, CutAndPasteIsTheIdentity) {
  for (const Shape& shape :
       {Shape{}, Shape{6}, Shape{4, 6}, Shape{2, 3, 6}, Shape{0, 6}}) {
    std::vector<float> values;
    for (int64_t i = 0; i < shape.size(); ++i) {
      values.push_back(static_cast<float>(i + 1));
    }
    const auto whole = HostArray::of<float>(shape, values);
    std::vector<Sharding> all = {Sharding()};
    if (shape.rank() > 0) {
      std::vector<Sharding::Axes> last(static_cast<size_t>(shape.rank()));
      last.back() = {"model", "data"};
      all.emplace_back(last);
    }
    if (shape == Shape{4, 6}) all.push_back(Sharding{{"data"}, {"model"}});
    for (const Sharding& s : all) {
      HostArray out(whole.type());
      for (size_t d = 0; d < kGrid.devices(); ++d) {
        const auto start = s.start(kGrid, shape, d);
        paste_block(
            copy_block(whole, start, s.local(kGrid, shape)), start, out);
      }
      EXPECT_TRUE(out.identical(whole)) << shape.str() << " " << s.str();
    }
  }
}

TEST(Blocks, BlockHoldsTheRightElements) {
  const auto x = HostArray::of<int32_t>(
      {2, 4}, std::vector<int32_t>{0, 1, 2, 3, 10, 11, 12, 13});
  EXPECT_EQ(copy_block(x, {0, 2}, {2, 2}).to_ints(),
            (std::vector<int64_t>{2, 3, 12, 13}));
}

}  // namespace
}  // namespace kexue
