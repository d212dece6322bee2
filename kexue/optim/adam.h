// The Adam family.
#pragma once

#include <string>
#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2, d = mhat / (sqrt(vhat) + eps),
// with mhat = m / (1 - b1^t), vhat = v / (1 - b2^t) if bias_correction.
// eps_hat puts eps beside sqrt(v): d = c1 m / (sqrt(v) + eps), c1 =
// sqrt(1 - b2^t) / (1 - b1^t).
//
// Which program: PyTorch and bert4keras (default); Google's BERT (no bias
// correction, eps 1e-6); Keras (eps_hat, eps 1e-7).
// Source: Kingma and Ba 2015, arXiv:1412.6980.
struct AdamOptions {
  double beta1 = 0.9;  // 0: no m
  double beta2 = 0.999;
  double eps = 1e-8;
  bool bias_correction = true;
  bool eps_hat = false;
};
class Adam final : public Rule {
 public:
  // Errors: kInvalidArgument for betas outside of [0,1) or eps <= 0.
  explicit Adam(AdamOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values direction(const Update& update) const override;

 private:
  AdamOptions options_;
};

// Adam with decoupled weight decay, w -= lr (d + decay w), in one pass over
// memory (ops::adamw). `decay` is left out for names that contain one of
// `no_decay`.
//
// Source: Loshchilov and Hutter 2019, arXiv:1711.05101.
struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  bool bias_correction = true;
  std::vector<std::string> no_decay = {"bias", "norm"};
  bool eps_hat = false;
};
class AdamW final : public Optimizer {
 public:
  explicit AdamW(AdamWOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values apply(const Update& update) const override;
  bool skips() const override { return true; }

 private:
  AdamWOptions options_;
};

}  // namespace kexue::optim
