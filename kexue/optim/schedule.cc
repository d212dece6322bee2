#include "kexue/optim/schedule.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"

namespace kexue::optim {
namespace {

using Kind = Schedule::Kind;

Value piecewise(const std::vector<std::pair<double, double>>& points,
                const Value& s) {
  auto knots = points;
  if (knots.front().first > 0) knots.insert(knots.begin(), {0.0, 0.0});
  Value m = ops::full_like(s, knots.back().second);
  for (size_t i = knots.size() - 1; i-- > 0;) {
    const auto [x, y] = knots[i];
    const auto [next_x, next_y] = knots[i + 1];
    const Value line = y + (s - x) * ((next_y - y) / (next_x - x));
    m = ops::select(ops::less(s, ops::full_like(s, next_x)), line, m);
  }
  return m;
}

// What follows the warm-up.
Value decay(const Schedule& schedule,
            const Value& warmup,
            const Value& total,
            const Value& s) {
  const Value one = ops::ones_like(s);
  const Value zero = ops::zeros_like(s);
  if (schedule.kind == Kind::kConstant) return one;
  if (schedule.kind == Kind::kLinearGoogle) {
    return ops::maximum(1.0 - s / ops::maximum(total, one), zero);
  }
  const Value span = ops::maximum(total - warmup, one);
  if (schedule.kind == Kind::kLinear) {
    return ops::maximum((total - s) / span, zero);
  }
  const Value part = ops::minimum((s - warmup) / span, one);
  const Value wave = (1.0 + ops::cos(part * std::numbers::pi)) * 0.5;
  return wave * (1.0 - schedule.floor) + schedule.floor;
}

}  // namespace

void check(const Schedule& schedule) {
  const auto refuse = [](const std::string& what) {
    throw Error(Code::kInvalidArgument, "schedule: " + what);
  };
  if (!(schedule.floor >= 0 && schedule.floor <= 1)) {
    refuse(fmt::format("floor must be in [0,1], got {}", schedule.floor));
  }
  const bool pieces = schedule.kind == Kind::kPiecewise;
  if (pieces == schedule.points.empty()) {
    refuse(pieces ? "piecewise needs points {step: multiplier}"
                  : "points are for the piecewise kind");
  }
  double last = -1;
  for (const auto& [x, y] : schedule.points) {
    if (!(x >= 0) || !(x > last) || !std::isfinite(x) || !std::isfinite(y)) {
      refuse(fmt::format(
          "the steps of its points must rise from 0 on, got {} after {}",
          x,
          last < 0 ? "nothing" : fmt::format("{}", last)));
    }
    last = x;
  }
}

Value learning_rate(const Schedule& schedule,
                    const Value& peak,
                    const Value& warmup,
                    const Value& total,
                    const Value& s) {
  check(schedule);
  if (schedule.kind == Kind::kPiecewise) {
    return peak * piecewise(schedule.points, s);
  }
  const Value up = s / ops::maximum(warmup, ops::ones_like(s));
  const Value slope =
      ops::select(ops::less(s, warmup), up, decay(schedule, warmup, total, s));
  return peak * slope;
}

Value linear_warmup_decay(const Value& peak,
                          const Value& warmup,
                          const Value& total,
                          const Value& s) {
  return learning_rate({}, peak, warmup, total, s);
}

Kind schedule_from_name(const std::string& name) {
  if (name == "linear") return Kind::kLinear;
  if (name == "linear_google") return Kind::kLinearGoogle;
  if (name == "cosine") return Kind::kCosine;
  if (name == "constant") return Kind::kConstant;
  if (name == "piecewise") return Kind::kPiecewise;
  throw Error(Code::kInvalidArgument,
              "schedule must be linear, linear_google, cosine, constant or "
              "piecewise, got \"" +
                  name + '"');
}

}  // namespace kexue::optim
