// What depends on a parameter's name.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// The rate times the factor of the first pattern that is a part of the name;
// 0 freezes.
class Rates final : public Wrapper {
 public:
  using Factors = std::vector<std::pair<std::string, double>>;
  // Errors: kInvalidArgument for a factor < 0.
  Rates(OptimizerPtr inner, Factors factors);
  Values apply(const Update& update) const override;
  bool skips() const override { return inner().skips(); }

 private:
  Factors factors_;
};

// One optimizer for each parameter.
class Choice final : public Optimizer {
 public:
  using Chooser = std::function<const Optimizer&(const Target&)>;
  explicit Choice(Chooser choose) : choose_(std::move(choose)) {}
  std::vector<Slot> slots(const Target& target) const override;
  Values apply(const Update& update) const override;

 private:
  Chooser choose_;
};

// Of matrices with one of `tables` in their names: a row whose gradient is zero
// keeps its weights and its part of every slot of the table's shape, so that
// tokens which did not occur are not moved by old momentum, nor decay.
//
// Source: bert4keras' lazy optimizer; derived for any rule.
class LazyRows final : public Wrapper {
 public:
  LazyRows(OptimizerPtr inner, std::vector<std::string> tables);
  Values apply(const Update& update) const override;

 private:
  std::vector<std::string> tables_;
};

}  // namespace kexue::optim
