// Layer-wise rates: LARS, and LAMB's ratio as a transform of any rule.
#pragma once

#include <string>
#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// d becomes d |w| / |d|, the norms over each layer's tensor; as it is where one
// of them is 0, and for names that contain one of `excluded`. Around Adam with
// decoupled decay it is LAMB.
//
// Source: You et al. 2020, arXiv:1904.00962.
class LayerAdaptation final : public Rule {
 public:
  explicit LayerAdaptation(RulePtr inner,
                           std::vector<std::string> excluded = {"bias",
                                                                "norm"});
  std::vector<Slot> slots(const Target& target) const override;
  Values direction(const Update& update) const override;

 private:
  RulePtr inner_;
  std::vector<std::string> excluded_;
};

// h = g + decay w, r = trust |w| / (|g| + decay |w|), b = mu b + lr r h,
// w -= b. Names with one of `excluded` have r = 1 and no decay, as has r where
// a norm is 0. The rate is inside of the buffer.
//
// Source: You, Gitman and Ginsburg 2017, arXiv:1708.03888.
struct LarsOptions {
  double momentum = 0.9;
  double trust = 1e-3;
  double weight_decay = 0;
  std::vector<std::string> excluded = {"bias", "norm"};
};
class Lars final : public Optimizer {
 public:
  // Errors: kInvalidArgument for options outside of their ranges.
  explicit Lars(LarsOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values apply(const Update& update) const override;

 private:
  LarsOptions options_;
};

}  // namespace kexue::optim
