#include "kexue/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/evaluate.h"
#include "kexue/ir/graph.h"
#include "tests/support/error_matchers.h"

namespace kexue::optim {
namespace {

using Kind = Schedule::Kind;

// Rate after `s` updates; peak 1e-3, 10 steps of warm-up, 100 in all.
double rate(const Schedule& schedule, double s, double warmup = 10) {
  Graph g;
  const ir::Tracing tracing(g);
  Values in;
  for (int i = 0; i < 4; ++i) in.push_back(g.input({DType::kF64, {}}));
  g.set_outputs({learning_rate(schedule, in[0], in[1], in[2], in[3])});
  const std::vector<HostArray> args = {HostArray::scalar(1e-3),
                                       HostArray::scalar(warmup),
                                       HostArray::scalar(100.0),
                                       HostArray::scalar(s)};
  return ir::evaluate(g, args)[0].at(0);
}

TEST(Schedule, GoogleLineIsMeasuredFromZero) {
  const Schedule google{.kind = Kind::kLinearGoogle};
  EXPECT_EQ(rate(google, 0), 0);
  EXPECT_NEAR(rate(google, 9), 9e-4, 1e-18);
  EXPECT_NEAR(rate(google, 10), 9e-4, 1e-18);
  EXPECT_NEAR(rate(google, 55), 4.5e-4, 1e-18);
  EXPECT_EQ(rate(google, 100), 0);
  EXPECT_EQ(rate(google, 150), 0);
}

TEST(Schedule, LinearReachesThePeak) {
  EXPECT_NEAR(rate({}, 9), 9e-4, 1e-18);
  EXPECT_NEAR(rate({}, 10), 1e-3, 1e-18);
  EXPECT_NEAR(rate({}, 55), 5e-4, 1e-18);
}

TEST(Schedule, CosineFallsToItsFloorAndStays) {
  const Schedule cosine{.kind = Kind::kCosine, .floor = 0.1};
  EXPECT_NEAR(rate(cosine, 5), 5e-4, 1e-18);
  EXPECT_NEAR(rate(cosine, 10), 1e-3, 1e-18);
  EXPECT_NEAR(rate(cosine, 40), (0.1 + 0.9 * 0.75) * 1e-3, 1e-18);
  EXPECT_NEAR(rate(cosine, 55), 0.55e-3, 1e-18);
  EXPECT_NEAR(rate(cosine, 100), 1e-4, 1e-18);
  EXPECT_NEAR(rate(cosine, 1000), 1e-4, 1e-18);
}

TEST(Schedule, ConstantWarmsUp) {
  const Schedule constant{.kind = Kind::kConstant};
  EXPECT_NEAR(rate(constant, 3), 3e-4, 1e-18);
  EXPECT_EQ(rate(constant, 10), 1e-3);
  EXPECT_EQ(rate(constant, 1e6), 1e-3);
  EXPECT_EQ(rate(constant, 0, 0), 1e-3);
}

TEST(Schedule, PiecewiseStartsAtZeroUnlessToldOtherwise) {
  const Schedule pieces{.kind = Kind::kPiecewise,
                        .points = {{1000, 1}, {2000, 0.1}}};
  const double want[][2] = {
      {0, 0}, {500, 0.5}, {1000, 1}, {1500, 0.55}, {2000, 0.1}, {3000, 0.1}};
  for (const auto& [s, m] : want) EXPECT_NEAR(rate(pieces, s), m * 1e-3, 1e-18);
  const Schedule flat{.kind = Kind::kPiecewise, .points = {{0, 1}}};
  for (const double s : {0.0, 5.0, 1e6}) EXPECT_EQ(rate(flat, s), 1e-3);
}

TEST(Schedule, BadOnesAreErrors) {
  const auto refuses = [](const Schedule& s, const char* text) {
    EXPECT_ERROR(check(s), Code::kInvalidArgument, text);
  };
  refuses({.kind = Kind::kPiecewise}, "piecewise needs points");
  refuses({.points = {{1, 1}}}, "points are for the piecewise kind");
  refuses({.kind = Kind::kPiecewise, .points = {{5, 1}, {5, 2}}},
          "must rise from 0 on, got 5 after 5");
  refuses({.kind = Kind::kPiecewise, .points = {{-1, 1}}}, "got -1 after noth");
  refuses({.kind = Kind::kPiecewise, .points = {{1, std::nan("")}}}, "rise");
  refuses({.kind = Kind::kCosine, .floor = 2}, "floor must be in [0,1], got 2");
  EXPECT_ERROR(schedule_from_name("sine"),
               Code::kInvalidArgument,
               "linear_google, cosine, constant or piecewise");
}

}  // namespace
}  // namespace kexue::optim
