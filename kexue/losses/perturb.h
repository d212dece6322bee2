// Training at perturbed values: FGM and VAT.
#pragma once

#include <functional>

#include "kexue/ir/value.h"

namespace kexue::losses {

// Something of a batch as a function of the value that is perturbed: an
// embedding table (nn::Param, bound anew for each call) or its output.
using At = std::function<Value(const Value& x)>;

// size g / (|g| + floor), |g| over the whole tensor, or over each of its rows
// (first axis) if by_row. It is a constant for gradients. g = 0 gives 0.
//
// Numerics: in g's dtype, which should be f32 or wider.
struct Perturbation {
  double size = 0.5;
  double floor = 1e-8;
  bool by_row = false;
};
Value perturbation(const Value& g, const Perturbation& options);

// l(x + delta), delta the perturbation along dl/dx: the step uses the gradient
// there. With add_clean l(x) + l(x + delta), both gradients, as most PyTorch
// programs do.
//
// Shapes: x f[...], loss f[] -> f[].
// Source: Miyato et al. 2017, arXiv:1605.07725; kexue.fm/archives/7234.
struct FgmOptions {
  Perturbation step = {};
  bool add_clean = false;
};
Value fgm(const At& loss, const Value& x, const FgmOptions& options = {});

// mean KL(p(x) || p(x + r)) over rows, p(x) held constant: how far a
// perturbation r of length `size` that is chosen against the model, not against
// a label, moves its predictions. r is found by power iteration from a random
// start: r = xi r / |r|, then r = d KL / dr, `iterations` times. To be added to
// a loss.
//
// Shapes: logits f[B,C] of x f[...]; key u32[2] -> f[].
// Errors: kInvalidArgument unless iterations >= 1 and xi > 0.
// Source: Miyato et al. 2019, arXiv:1704.03976; kexue.fm/archives/7466.
struct VatOptions {
  Perturbation step = {.size = 1};
  double xi = 10;
  int iterations = 1;
  Value weights = {};  // f[B], of each row in the means; empty: alike
};
Value vat(const At& logits,
          const Value& x,
          const Value& key,
          const VatOptions& options = {});

}  // namespace kexue::losses
