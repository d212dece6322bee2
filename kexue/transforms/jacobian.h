// Whole matrices of derivatives, by batching products with the unit vectors.
#pragma once

#include <vector>

#include "kexue/ir/value.h"
#include "kexue/transforms/grad.h"

namespace kexue::transforms {

// kReverse: one backward pass for each element of y, all in one batch.
// kForward: one tangent for each element of x. Take the shorter side.
enum class Sweep { kReverse, kForward };

// d y / d x for each x, of values in the graph being traced. The forward pass
// that made y is used as it is.
//
// Shapes: y f[M...], x f[N...] -> f[M...,N...].
// Errors: as vjp and jvp.
Values jacobian(const Value& y, const Values& xs, Sweep sweep);
// The same for a function: x -> Jacobians of f at x.
Map jacobian(const Function& f, Sweep sweep = Sweep::kReverse);

// d^2 loss / dx_i dx_j as result[i][j], f[N_i...,N_j...].
std::vector<Values> hessian(const Value& loss, const Values& xs);

}  // namespace kexue::transforms
