// AdaFactor.
#pragma once

#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// With q = g^2 + eps1 and b2 = 1 - t^-rate_power, a matrix keeps running means
// of q along its rows r and columns c only, v_ij = r_i c_j / mean(r); what has
// fewer than two dimensions of at least `min_factor` keeps all of v. Then
//   u = g / sqrt(v), u /= max(1, RMS(u) / clip), m = b1 m + (1-b1) u,
//   d = a m, a = max(eps2, RMS(w)) if scale_parameter, else 1.
// relative_step (version 1 of the rule): the rate is min(lr, 1 / sqrt(t)), with
// lr = 0.01 that of the paper. Without it (version 2) lr is the rate.
//
// Shapes: matrices are the last two dimensions, earlier ones a batch.
// Source: Shazeer and Stern 2018, arXiv:1804.04235.
struct AdaFactorOptions {
  double beta1 = 0;  // 0: no m
  double rate_power = 0.8;
  double eps1 = 1e-30;
  double eps2 = 1e-3;
  double clip = 1;  // 0: off
  bool scale_parameter = true;
  bool relative_step = false;
  int64_t min_factor = 128;
};
class AdaFactor final : public Rule {
 public:
  // Errors: kInvalidArgument for options outside of their ranges.
  explicit AdaFactor(AdaFactorOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values direction(const Update& update) const override;

 private:
  bool factors(const Target& target) const;

  AdaFactorOptions options_;
};

}  // namespace kexue::optim
