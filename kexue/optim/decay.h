// Weight decay as a transform of any rule.
#pragma once

#include <string>
#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

struct DecayOptions {
  double weight_decay = 0.01;
  std::vector<std::string> no_decay = {"bias", "norm"};  // parts of names
};

// Decoupled: d becomes d + decay w, w being the parameter before the step.
// Source: Loshchilov and Hutter 2019, arXiv:1711.05101.
class DecoupledDecay final : public Rule {
 public:
  // Errors: kInvalidArgument for a negative decay.
  DecoupledDecay(RulePtr inner, DecayOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values direction(const Update& update) const override;

 private:
  RulePtr inner_;
  DecayOptions options_;
};

// In the gradient: g becomes g + decay w, the gradient of an L2 penalty of
// decay |w|^2 / 2; moments see it.
class GradientDecay final : public Wrapper {
 public:
  GradientDecay(OptimizerPtr inner, DecayOptions options);
  Values apply(const Update& update) const override;
  bool skips() const override { return inner().skips(); }

 private:
  DecayOptions options_;
};

// Implicit: the result of the inner step is divided by 1 + lr decay, the
// minimum of |w - inner|^2 / (2 lr) + decay |w|^2 / 2.
// Source: Xie et al. 2022, arXiv:2208.06677 (Adan).
class ProximalDecay final : public Wrapper {
 public:
  ProximalDecay(OptimizerPtr inner, DecayOptions options);
  Values apply(const Update& update) const override;

 private:
  DecayOptions options_;
};

}  // namespace kexue::optim
