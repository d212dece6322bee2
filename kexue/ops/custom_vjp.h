// Functions with a derivative of the user's own.
#pragma once

#include <functional>
#include <string>

#include "kexue/ir/value.h"

namespace kexue::ops {

// What a rule sees: the inputs, the outputs, and their cotangents (zeros
// where nothing flows). It returns one cotangent an input; an empty one
// counts as zero.
using CustomForward = std::function<Values(const Values& x)>;
using CustomBackward =
    std::function<Values(const Values& x, const Values& y, const Values& dy)>;

struct CustomVjpOptions {
  std::string name = "custom_vjp";  // for messages
  // The rule is no formula of the derivative (an estimate, say), so that
  // differentiating it would be wrong: a second derivative is refused.
  bool first_order_only = false;
};

// forward(x), with `backward` for its derivative. Both are traced now.
//
// Numerics: a second derivative differentiates what `backward` is made of.
//           Values of the surrounding trace may be used, but no gradient flows
//           into them: pass as inputs what wants one.
// Errors:   kInvalidArgument if there are no inputs, if backward returns
//           another number of cotangents than inputs or one of another type,
//           or if a gradient is asked for a value used without being an
//           input; kUnsupported for a second derivative of a rule that is
//           first_order_only.
//
//   Value y = custom_vjp([](const Values& x) { return x; },
//                        [](const auto&, const auto&, const Values& dy) {
//                          return Values{-dy[0]};
//                        }, {x})[0];  // a reversed gradient
Values custom_vjp(const CustomForward& forward,
                  const CustomBackward& backward,
                  const Values& inputs,
                  const CustomVjpOptions& options = {});

}  // namespace kexue::ops
