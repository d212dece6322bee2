// Update rules of optimizers that pay as one pass over memory.
#pragma once

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

struct AdamWScalars {
  Value rate;   // learning rate times sqrt(1 - beta2^t) / (1 - beta1^t)
  Value eps;    // times sqrt(1 - beta2^t)
  Value decay;  // learning rate times weight decay
  Value scale;  // of the gradient, 1 for none
  Value go;     // 1, or 0 to leave w, m and v as they are (a skipped step)
};

// {w', m', v'} with h = scale g:
//   m' = beta1 m + (1 - beta1) h,  v' = beta2 v + (1 - beta2) h^2,
//   w' = w - decay w - rate m' / (sqrt(v') + eps).
//
// Shapes:   w, m, v, g f[...] of one type; the scalars f[] of its dtype.
// Numerics: with both corrections in `rate` and `eps` this is Adam's
//           mhat / (sqrt(vhat) + eps). The kernel writes over w, m and v where
//           the program owns them (donation).
// Errors:   kInvalidArgument for types that differ.
// Source:   Loshchilov and Hutter 2019, arXiv:1711.05101.
Values adamw(const Arg& w,
             const Value& m,
             const Value& v,
             const Value& g,
             const AdamWScalars& scalars,
             double beta1,
             double beta2);

}  // namespace kexue::ops
