#include "kexue/train/parallel.h"

#include <gtest/gtest.h>

#include "tests/support/error_matchers.h"

namespace kexue::train {
namespace {

nn::NamedParam param(const std::string& name, const Shape& shape) {
  return {name, nn::Param(shape, nn::Init::zeros())};
}

Parallel with(Zero zero) {
  return {.mesh = {{"data", 2}, {"model", 2}},
          .rules = {{"inner.weight", Sharding{{}, {"model"}}},
                    {"pipe.weight", Sharding{{"pipe"}}}},
          .zero = zero};
}

// Of a slot with the parameter's shape.
Sharding slots(const Parallel& parallel, const nn::NamedParam& p) {
  return slot_sharding(parallel, p, p.param.shape());
}

TEST(Parallel, RulesPlaceParametersAndTheirSlots) {
  const auto p = param("ffn.inner.weight", {4, 8});
  EXPECT_EQ(param_sharding(with(Zero::kNone), p), (Sharding{{}, {"model"}}));
  EXPECT_EQ(slots(with(Zero::kNone), p), (Sharding{{}, {"model"}}));
  // An axis of a rule that the mesh lacks does not split anything.
  EXPECT_EQ(param_sharding(with(Zero::kNone), param("pipe.weight", {4})),
            Sharding());
}

TEST(Parallel, ZeroSplitsTheLargestDimensionThatDivides) {
  const auto zero = with(Zero::kSlots);
  EXPECT_EQ(slots(zero, param("a", {2, 8})), (Sharding{{}, {"data"}}));
  EXPECT_EQ(slots(zero, param("a", {6, 7})), (Sharding{{"data"}}));
  EXPECT_EQ(slots(zero, param("a", {3, 5})), Sharding());
  EXPECT_EQ(slots(zero, param("a", {})), Sharding());
  EXPECT_EQ(param_sharding(zero, param("a", {2, 8})), Sharding());
  EXPECT_EQ(param_sharding(with(Zero::kParams), param("a", {2, 8})),
            (Sharding{{}, {"data"}}));
  // 8 splits once more beside "model", 6 does not.
  EXPECT_EQ(slots(zero, param("inner.weight", {4, 8})),
            (Sharding{{}, {"model", "data"}}));
  EXPECT_EQ(slots(zero, param("inner.weight", {4, 6})),
            (Sharding{{"data"}, {"model"}}));
}

TEST(Parallel, SlotsOfOtherShapesFollowZeroAlone) {
  const auto p = param("ffn.inner.weight", {4, 8});
  EXPECT_EQ(slot_sharding(with(Zero::kNone), p, {8}), Sharding());
  EXPECT_EQ(slot_sharding(with(Zero::kSlots), p, {8}), (Sharding{{"data"}}));
  EXPECT_EQ(slot_sharding(with(Zero::kSlots), p, {7}), Sharding());
  EXPECT_EQ(slot_sharding(with(Zero::kSlots), p, {}), Sharding());
}

TEST(Parallel, RowsOfABatchFollowTheDataAxis) {
  const auto p = with(Zero::kNone);
  EXPECT_EQ(batch_sharding(p, "ids", {DType::kI32, {4, 9}}),
            (Sharding{{"data"}}));
  EXPECT_EQ(batch_sharding(p, "rate", {DType::kF32, {}}), Sharding());
  EXPECT_EQ(batch_sharding({}, "ids", {DType::kI32, {5, 9}}), Sharding());
  EXPECT_ERROR(batch_sharding(p, "ids", {DType::kI32, {5, 9}}),
               Code::kInvalidArgument,
               "batch field \"ids\" i32[5,9] has 5 rows",
               "multiple of 2");
}

TEST(Parallel, ParameterThatDoesNotDivideIsNamed) {
  EXPECT_ERROR(
      param_sharding(with(Zero::kNone), param("ffn.inner.weight", {4, 7})),
      Code::kInvalidArgument,
      "parameter \"ffn.inner.weight\": ",
      "2 devices do not divide dimension 1 of [4,7]");
}

}  // namespace
}  // namespace kexue::train
