// RMSProp.
#pragma once

#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// v = a v + (1-a) g^2, d = g / (sqrt(v) + eps). Centred: v less the square of
// the running mean of g. With momentum: b = mu b + d takes the place of d.
//
// Source: Tieleman and Hinton 2012 (lecture 6.5), in PyTorch's form.
struct RmsPropOptions {
  double alpha = 0.99;
  double eps = 1e-8;
  double momentum = 0;
  bool centered = false;
};
class RmsProp final : public Rule {
 public:
  // Errors: kInvalidArgument for alpha or momentum outside of [0,1), eps <= 0.
  explicit RmsProp(RmsPropOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values direction(const Update& update) const override;

 private:
  RmsPropOptions options_;
};

}  // namespace kexue::optim
