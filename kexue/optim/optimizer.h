// What an update rule is: graph code for one parameter at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/ir/value.h"

namespace kexue::optim {

// A parameter before there are values. Its first `stack` dimensions count
// layers (nn::Stack): what a rule means by a matrix or a norm is a slice.
struct Target {
  std::string name;
  TensorType type;
  int64_t stack = 0;

  int64_t rank() const { return type.shape.rank() - stack; }  // of a slice
};

// A tensor kept beside a parameter from step to step.
struct Slot {
  std::string name;  // "m"
  TensorType type;
  double fill = 0;          // how it starts...
  bool from_param = false;  // ...unless as a copy of the parameter
};
HostArray initial(const Slot& slot, const HostArray& param);

// What a rule sees of one parameter.
struct Update {
  std::string name;
  Value param;        // f32 master
  Value grad;         // f32, unscaled
  Values slots;       // in the order of Optimizer::slots
  Value lr;           // f32[]
  Value step;         // f32[]: number of this update, 1 for the first
  Value scale = {};   // f32[]: clipping, to be multiplied into grad; empty: 1
  Value go = {};      // bool[]: false leaves everything as it is; empty: true
  int64_t stack = 0;  // see Target

  Target target() const { return {name, param.type(), stack}; }
  Value clipped() const;  // the gradient times `scale`
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // What apply() wants and returns beside the parameter.
  virtual std::vector<Slot> slots(const Target& target) const = 0;
  // The new parameter, then the new slots. At most as wide as the parameter.
  virtual Values apply(const Update& update) const = 0;
  // Whether apply() looks at `go`; if not, its caller does.
  virtual bool skips() const { return false; }
  // The point to evaluate and to keep, where it is not the parameter that is
  // trained (averages of the path). Looks at param, slots and step; `step` is
  // the number of updates done.
  virtual bool moves_evaluation() const { return false; }
  virtual Value evaluation(const Update& update) const { return update.param; }
};
using OptimizerPtr = std::shared_ptr<const Optimizer>;

// A rule of the form w -= lr d.
class Rule : public Optimizer {
 public:
  // d, then the new slots.
  virtual Values direction(const Update& update) const = 0;
  Values apply(const Update& update) const override;
};
using RulePtr = std::shared_ptr<const Rule>;

// Changes what another optimizer does; slots of its own follow the inner ones.
class Wrapper : public Optimizer {
 public:
  explicit Wrapper(OptimizerPtr inner) : inner_(std::move(inner)) {}
  std::vector<Slot> slots(const Target& target) const override {
    return inner_->slots(target);
  }
  bool moves_evaluation() const override { return inner_->moves_evaluation(); }
  Value evaluation(const Update& update) const override {
    return inner_->evaluation(inner_update(update));
  }

 protected:
  const Optimizer& inner() const { return *inner_; }
  // With the inner slots only.
  Update inner_update(const Update& update) const;

 private:
  OptimizerPtr inner_;
};

// Patterns are parts of names: {"bias", "norm"}.
bool has_part(const std::string& name, const std::vector<std::string>& parts);

// Over each layer's tensor; f[...,1,1], which broadcasts against x.
Value slice_norm(const Value& x, int64_t stack);
Value slice_rms(const Value& x, int64_t stack);  // sqrt(mean(x^2))
// 1 - beta^t, f[]; no digits are lost for beta near 1.
Value bias_correction(const Value& t, double beta);

}  // namespace kexue::optim
