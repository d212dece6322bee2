// Gradients of single examples.
#pragma once

#include <functional>

#include "kexue/ir/value.h"

namespace kexue::transforms {

// The loss of one example; its inputs come without the axis of examples.
using SampleLoss =
    std::function<Value(const Values& params, const Values& example)>;

// d loss_b / d param for each example b: batch over grad.
//
// Shapes: params f[N...], examples [B,...] -> f[B,N...], one a parameter.
// Errors: as batch and gradients.
Values per_sample_gradients(const SampleLoss& loss,
                            const Values& params,
                            const Values& examples);

// ||dl_b/dW||^2 and ||dl_b/dbias||^2 of a layer z = x W + bias, from x and
// dz = dl/dz alone: no gradient of W is formed. Where a layer is used at
// several positions s, the first is sum_st (dz_s . dz_t)(x_s . x_t).
//
// Shapes:   x f[B,I] or f[B,S...,I], dz f[B,S...,O] -> f[B].
// Numerics: sums in f32 or wider. dz must come from the SUM of the examples'
//           losses; from their mean it is B times too small.
// Errors:   kInvalidArgument if leading dimensions differ.
// Source:   Goodfellow 2015, arXiv:1510.01799; several positions: derived.
struct LayerSquares {
  Value weight;
  Value bias;
};
LayerSquares linear_gradient_squares(const Value& x, const Value& dz);

}  // namespace kexue::transforms
