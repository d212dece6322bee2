// Stochastic gradient descent.
#pragma once

#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// b = mu b + g; d = b, or g + mu b (Nesterov); without momentum d = g.
//
// The rate is outside of the buffer, as in PyTorch: it acts on old gradients
// too.
// Source: Sutskever et al. 2013 (ICML), in PyTorch's form.
struct SgdOptions {
  double momentum = 0;
  bool nesterov = false;
};
class Sgd final : public Rule {
 public:
  // Errors: kInvalidArgument for a momentum outside of [0,1), and for Nesterov
  //         without momentum.
  explicit Sgd(SgdOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values direction(const Update& update) const override;

 private:
  SgdOptions options_;
};

}  // namespace kexue::optim
