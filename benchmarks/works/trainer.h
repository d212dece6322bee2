// Works that train: parameters by name, AdamW, one loss.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "benchmarks/works/work.h"

namespace kexue::works {

// The parameters of a work, listed once with their shapes.
class ParamTable final {
 public:
  void add(std::string name, const Shape& shape, double stddev);  // 0: zeros
  void add_ones(std::string name, const Shape& shape);
  // A matrix [out,in] and its bias [out]: "name.weight", "name.bias".
  void add_dense(const std::string& name, int64_t in, int64_t out);
  void add_norm(const std::string& name, int64_t dim);

  const std::vector<Slot>& slots() const { return slots_; }

 private:
  std::vector<Slot> slots_;
};

// The values of a table's parameters while a step is traced.
class ParamValues final {
 public:
  ParamValues(const std::vector<Slot>& slots, const Values& values);
  const Value& operator[](const std::string& name) const;

 private:
  std::map<std::string, Value> by_name_;
};

struct AdamSettings {
  double lr = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double decay = 0.01;  // of every parameter
};

// One update with bias correction at step t (f32[], 1 for the first):
// {w, m, v} -> {w', m', v'}.
Values adamw(const Value& w,
             const Value& g,
             const Value& m,
             const Value& v,
             const Value& t,
             const AdamSettings& settings);

// What a step reports, and the gradients of the table's parameters.
using LossGradients = std::function<std::pair<Value, Values>(
    const Values& weights, const Values& inputs)>;
// Parameters, then m, v of each, then the step count: AdamW on gradients.
Work training_by(const ParamTable& table,
                 std::vector<Slot> inputs,
                 LossGradients gradients,
                 const AdamSettings& settings);
// The same for the gradients of `loss`.
Work training(const ParamTable& table,
              std::vector<Slot> inputs,
              std::function<Value(const ParamValues&, const Values&)> loss,
              const AdamSettings& settings = {});

// y = x W^T + b for "name.weight", "name.bias".
Value dense(const ParamValues& p, const std::string& name, const Value& x);
// Layer norm with "name.weight", "name.bias".
Value norm(const ParamValues& p, const std::string& name, const Value& x);

}  // namespace kexue::works
