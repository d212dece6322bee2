// Averages over the path of the parameters.
#pragma once

#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// After every `steps` steps: slow += rate (w - slow), w = slow. `slow` starts
// at the weights (bert4keras starts it at 0, which halves them at the first
// sync).
//
// Source: Zhang et al. 2019, arXiv:1907.08610.
struct LookaheadOptions {
  int64_t steps = 5;
  double rate = 0.5;
};
class Lookahead final : public Wrapper {
 public:
  // Errors: kInvalidArgument for steps < 1 or a rate outside of (0,1].
  Lookahead(OptimizerPtr inner, LookaheadOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values apply(const Update& update) const override;

 private:
  LookaheadOptions options_;
};

// Beside the parameters: ema = decay ema + (1-decay) w, from 0. Evaluated is
// ema / (1 - decay^t), which weighs the steps done so far; the parameters
// themselves before the first.
//
// Source: derived; bert4keras' moving average with the correction of Adam.
class MovingAverage final : public Wrapper {
 public:
  // Errors: kInvalidArgument for a decay outside of (0,1).
  explicit MovingAverage(OptimizerPtr inner, double decay = 0.999);
  std::vector<Slot> slots(const Target& target) const override;
  Values apply(const Update& update) const override;
  bool moves_evaluation() const override { return true; }
  Value evaluation(const Update& update) const override;

 private:
  double decay_;
};

// No schedule but a constant rate after warm-up. The parameters are y, where
// gradients are taken; z steps, and x, their average, is what is evaluated:
//   z -= lr d(y), x = (1-c) x + c z, y = (1-b) z + b x,
// with c = l^power / sum of l^power so far, l the largest rate so far. Around
// Adam without m (beta1 = 0) it is schedule-free AdamW, around Sgd
// schedule-free SGD. x is not kept: x = (y - (1-b) z) / b.
//
// Source: Defazio et al. 2024, arXiv:2405.15682.
struct ScheduleFreeOptions {
  double beta = 0.9;
  double power = 2;
};
class ScheduleFree final : public Optimizer {
 public:
  // Errors: kInvalidArgument for beta outside of (0,1) or power < 0.
  ScheduleFree(RulePtr inner, ScheduleFreeOptions options);
  std::vector<Slot> slots(const Target& target) const override;
  Values apply(const Update& update) const override;
  bool moves_evaluation() const override { return true; }
  Value evaluation(const Update& update) const override;

 private:
  RulePtr inner_;
  ScheduleFreeOptions options_;
};

}  // namespace kexue::optim
