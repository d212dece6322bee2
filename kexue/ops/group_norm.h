// Group normalisation, alone or with SiLU behind it, as one op.
#pragma once

#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// y = (x - mu) / sqrt(var + eps) * gamma + beta, mu and var (biased) of an
// example over all positions and the channels of a group, C / groups of them
// side by side; then y * logistic(y) if `silu`.
//
// Shapes:   x f[B,...,C], gamma f[C], beta f[C] -> f[B,...,C].
// Numerics: runs in f32 or wider under every policy and rounds once; a constant
//           group gives beta.
// Errors:   kInvalidArgument for other types or shapes, and if `groups` does
//           not divide C.
// Source:   Wu and He 2018, arXiv:1803.08494; SiLU: arXiv:1606.08415.
Value group_norm(const Arg& x,
                 const Value& gamma,
                 const Value& beta,
                 int64_t groups,
                 double eps,
                 bool silu = false);

}  // namespace kexue::ops
