// Trainable tensors, and how layers list and find them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/base/random.h"
#include "kexue/base/sharding.h"
#include "kexue/ir/graph.h"

namespace kexue::nn {

// How a parameter starts.
struct Init {
  enum class Kind { kZeros, kOnes, kNormal, kTruncatedNormal };
  Kind kind = Kind::kZeros;
  float stddev = 0;

  static Init zeros() { return {}; }
  static Init ones() { return {.kind = Kind::kOnes}; }
  static Init normal(float stddev) { return {Kind::kNormal, stddev}; }
  // Cut at two deviations: the realised deviation is 0.8796 of `stddev`.
  static Init truncated_normal(float stddev) {
    return {Kind::kTruncatedNormal, stddev};
  }
};

// A handle: copies are the same parameter, which is how weights are tied.
// It holds no numbers. While a step is traced it stands for a graph value,
// which whoever traces has bound (see bind_inputs).
class Param final {
 public:
  Param() = default;
  // `stack`: how many leading dimensions count layers (nn::Stack). What an
  // update rule takes as one tensor is a slice of them.
  Param(Shape shape, Init init, int64_t stack = 0);

  const TensorType& type() const { return state_->type; }
  const Shape& shape() const { return state_->type.shape; }
  const Init& init() const { return state_->init; }
  int64_t stack() const { return state_->stack; }
  const void* id() const { return state_.get(); }

  // The value it stands for in the graph being traced.
  // Errors: kInvalidArgument if it is not bound there.
  Value operator()() const;

  // A start value from its own random stream.
  HostArray initial(Key key) const;

 private:
  struct State {
    TensorType type;
    Init init;
    int64_t stack = 0;
  };
  std::shared_ptr<State> state_;
};

struct NamedParam {
  std::string name;  // "encoder.query.weight"
  Param param;
};
using ParamList = std::vector<NamedParam>;

// Collects a module's parameters: a module lists each member once by
//   template <class V> void visit(V& v) { v("weight", weight_); }
class ParamCollector final {
 public:
  void operator()(std::string_view name, Param& param);
  template <class Module>
  void operator()(std::string_view name, Module& module) {
    const size_t length = prefix_.size();
    prefix_ += name;
    prefix_ += '.';
    module.visit(*this);
    prefix_.resize(length);
  }
  ParamList take() { return std::move(list_); }

 private:
  std::string prefix_;
  ParamList list_;
};

template <class Module>
ParamList parameters(Module& module) {
  ParamCollector collector;
  module.visit(collector);
  return collector.take();
}

// Adds one graph input per parameter, in order, and binds it.
Values bind_inputs(ir::Graph& graph, const ParamList& params);

// Start values: parameter i reads stream key.fold_in(i).
std::vector<HostArray> initial_values(const ParamList& params, Key key);

// How parameters lie on a mesh, declared with a model: the first rule whose
// `part` stands in a parameter's name decides; without one it is replicated.
struct ShardingRule {
  std::string part;  // "ffn.inner.weight"
  Sharding sharding;
};
using ShardingRules = std::vector<ShardingRule>;
Sharding sharding_of(const ShardingRules& rules, const std::string& name);

}  // namespace kexue::nn
