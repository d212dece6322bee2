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
// For complex x = a + ib the gradient is dL/da + i dL/db: going against it
// lowers the loss.
//
// Errors: kInvalidArgument if loss is no real float scalar, an x is neither
//         float nor complex, or (if asked for) the loss does not depend on
//         an x; kUnsupported naming an op without a derivative rule and the
//         order that is missing.
Values gradients(const Value& loss,
                 const Values& xs,
                 const GradientOptions& options = {});

// The same with a cotangent instead of 1: sum_i dy_i dys_i / dx. For complex
// values: the gradient of sum_i real(conj(dy_i) y_i), dy_i taken as constants.
Values vjp(const Values& ys,
           const Values& dys,
           const Values& xs,
           const GradientOptions& options = {});

// The product the other way round: sum_i dys / dx_i vs_i, for each y. An empty
// v counts as zero. Reverse mode twice: vjp is linear in its cotangent, and
// the derivative of that is the tangent.
//
// Numerics: after simplify only the forward pass and the tangents are left;
//           a loop keeps what its backward loop would read.
// Errors:   as vjp.
Values jvp(const Values& ys, const Values& xs, const Values& vs);

using Function = std::function<Value(const Values&)>;
using Map = std::function<Values(const Values&)>;  // several results

// jvp as a function of vs, which may be called many times: the work that does
// not depend on vs is traced once.
Map linearize(const Values& ys, const Values& xs);

// x -> gradients of f at x.
std::function<Values(const Values&)> grad(const Function& f);
// x -> f(x) and the gradients.
std::function<std::pair<Value, Values>(const Values&)> value_and_grad(
    const Function& f);
// (x, v) -> f(x) and its tangent along v.
std::function<std::pair<Values, Values>(const Values&, const Values&)> jvp(
    const Map& f);

// How a Hessian is multiplied with a vector: as grad of <grad f, v>, or as the
// tangent of grad f along v. The numbers agree; the second form needs no
// backward pass through the backward pass of v's product.
enum class Hvp { kReverseOverReverse, kForwardOverReverse };
// (x, v) -> H v.
std::function<Values(const Values&, const Values&)> hvp(
    const Function& f, Hvp form = Hvp::kReverseOverReverse);

}  // namespace kexue::transforms
