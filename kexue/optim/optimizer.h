// Update rules as graph code.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kexue/ir/value.h"

namespace kexue::optim {

// What a rule sees of one parameter.
struct Update {
  std::string name;
  Value param;       // f32 master
  Value grad;        // f32, unscaled
  Values slots;      // in the order of Optimizer::slot_names
  Value lr;          // f32[]
  Value step;        // f32[]: number of this update, 1 for the first
  Value scale = {};  // f32[]: clipping, to be multiplied into grad; empty: 1
  Value go = {};     // bool[]: false leaves everything as it is; empty: true
};

// A rule keeps `slot_names().size()` tensors of the parameter's type beside
// each parameter; they start at zero. apply() returns the new parameter
// followed by the new slots.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  virtual std::vector<std::string> slot_names() const = 0;
  virtual Values apply(const Update& update) const = 0;
  // Whether apply() looks at `go`; if not, its caller does.
  virtual bool skips() const { return false; }
};

// Divides all gradients by max(1, norm / limit), norm over all of them.
//
// Numerics: sums of squares in f32. limit <= 0 or infinite: no clipping.
// Source:   Pascanu et al. 2013, arXiv:1211.5063.
struct Clipped {
  Values grads;
  Value norm;   // before clipping, f32[]
  Value scale;  // that clipped them, f32[]; empty: no clipping
};
Clipped clip_by_global_norm(const Values& grads, double limit);

// Adam with decoupled weight decay:
//   m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2,
//   w -= lr (mhat / (sqrt(vhat) + eps) + decay w),
// with mhat = m / (1 - b1^t), vhat = v / (1 - b2^t) if bias_correction.
//
// `decay` is left out for names that contain one of `no_decay`.
// Source: Loshchilov and Hutter 2019, arXiv:1711.05101; without bias
//         correction and with eps 1e-6 it is Google BERT's rule.
struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  bool bias_correction = true;
  std::vector<std::string> no_decay = {"bias", "norm"};
};
class AdamW final : public Optimizer {
 public:
  explicit AdamW(AdamWOptions options);
  std::vector<std::string> slot_names() const override { return {"m", "v"}; }
  Values apply(const Update& update) const override;
  bool skips() const override { return true; }

 private:
  AdamWOptions options_;
};

// Learning rate at update s (0 for the first): peak * s / warmup below
// `warmup`, then falling in a line to 0 at `total`:
// peak * (total - s) / (total - warmup).
//
// Shapes: all f32[]; being inputs, they may change without compiling again.
// Source: Hugging Face's linear schedule (the peak is reached).
Value linear_warmup_decay(const Value& peak,
                          const Value& warmup,
                          const Value& total,
                          const Value& s);

}  // namespace kexue::optim
