// Derivatives, as functions from graphs to graphs.
#pragma once

#include <functional>
#include <utility>

#include "kexue/ir/value.h"

namespace kexue::transforms {

struct GradientOptions {
  // What an x that the loss does not depend on gets: zeros, or (true) an error
  // that names it. A path through integers, comparisons or stop_gradient is
  // none.
  bool refuse_independent = false;
};

// d loss / d x for each x, added to the graph being traced. x may be any value
// of the same graph: an input, a parameter or an intermediate. A loss that
// does not depend on x gives zeros. Gradients can be differentiated again.
//
// Errors: kInvalidArgument if loss is no float scalar, an x is not float, or
//         (if asked for) the loss does not depend on an x; kUnsupported naming
//         an op without a derivative rule and the order that is missing.
Values gradients(const Value& loss,
                 const Values& xs,
                 const GradientOptions& options = {});

// The same with a cotangent instead of 1: sum_i dy_i dys_i / dx.
Values vjp(const Values& ys,
           const Values& dys,
           const Values& xs,
           const GradientOptions& options = {});

using Function = std::function<Value(const Values&)>;
using Map = std::function<Values(const Values&)>;  // several results

// x -> gradients of f at x.
std::function<Values(const Values&)> grad(const Function& f);
// x -> f(x) and the gradients.
std::function<std::pair<Value, Values>(const Values&)> value_and_grad(
    const Function& f);
// (x, v) -> H v by reverse over reverse: grad of <grad f, stop_gradient(v)>.
std::function<Values(const Values&, const Values&)> hvp(const Function& f);

}  // namespace kexue::transforms
