// Learning rates over time.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kexue/ir/value.h"

namespace kexue::optim {

// The rate is peak * m(s), s the updates done so far (0 for the first). With
// W steps of warm-up and S in all, m(s) = s / W for s < W, and from there on
//   linear         (S - s) / (S - W): the peak is reached (Hugging Face)
//   linear_google  1 - s / S, measured from 0: the largest is 1 - W / S (BERT)
//   cosine         floor + (1 - floor) (1 + cos(pi (s - W) / (S - W))) / 2
//   constant       1
// none below 0 or, for the cosine, `floor`; s > S stays as at S.
//   piecewise      straight lines between `points` {s: m}, from (0, 0) unless a
//                  point is given for 0; the last value holds on. No other
//                  warm-up.
//
// Source: the BERT and Transformers programs; Loshchilov and Hutter 2017,
//         arXiv:1608.03983; bert4keras' lr_schedule.
struct Schedule {
  enum class Kind { kLinear, kLinearGoogle, kCosine, kConstant, kPiecewise };
  Kind kind = Kind::kLinear;
  std::vector<std::pair<double, double>> points = {};  // piecewise only
  double floor = 0;                                    // cosine only
  bool operator==(const Schedule&) const = default;
};
// Errors: kInvalidArgument for points that do not rise, a piecewise schedule
//         without any, or a floor outside of [0,1].
void check(const Schedule& schedule);

// Shapes: all f32[]; being inputs, they may change without compiling again.
Value learning_rate(const Schedule& schedule,
                    const Value& peak,
                    const Value& warmup,
                    const Value& total,
                    const Value& s);

// The linear kind.
Value linear_warmup_decay(const Value& peak,
                          const Value& warmup,
                          const Value& total,
                          const Value& s);

// Errors: kInvalidArgument listing the names.
Schedule::Kind schedule_from_name(const std::string& name);

}  // namespace kexue::optim
