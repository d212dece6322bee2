// The same layer many times, as one loop: traced once, at any depth.
#pragma once

#include <cstdint>

#include "kexue/nn/layers.h"
#include "kexue/ops/control.h"
#include "kexue/ops/random.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::nn {

// x = layer(x, extra...) `depth` times, each time with its own parameters.
//
// The parameters are those of one layer with a leading dimension `depth`.
// `extra` values (a mask) are the same for all layers. Each layer has its own
// random streams. Compile time does not grow with depth.
template <class Layer>
class Stack final {
 public:
  struct Options {
    int64_t depth;
    ops::RematPolicy remat = {};  // what a layer keeps for the backward pass
  };

  Stack() = default;
  Stack(const Options& options, Layer layer)
      : options_(options), layer_(std::move(layer)), one_(parameters(layer_)) {
    for (const auto& p : one_) {
      auto dims = p.param.shape().dims();
      dims.insert(dims.begin(), options.depth);
      stacked_.push_back(
          {p.name, Param(Shape(dims), p.param.init(), p.param.stack() + 1)});
    }
  }

  template <class... Extra>
  Value operator()(const Value& x, const Extra&... extra) const {
    Values xs;
    for (const auto& p : stacked_) xs.push_back(p.param());
    const Value key = RandomScope::current();
    xs.push_back(ops::iota({DType::kI32, {options_.depth}}));
    const auto body = [&](const Values& carry, const Values& slices) {
      ir::Graph& graph = ir::Tracing::current();
      for (size_t i = 0; i < one_.size(); ++i) {
        graph.bind(one_[i].param.id(), slices[i]);
      }
      if (key) {
        RandomScope::rebind(graph,
                            ops::fold_in(graph.import(key), slices.back()));
      }
      return std::pair<Values, Values>({layer_(carry[0], extra...)}, {});
    };
    return ops::scan(body, {x}, xs, {.remat = options_.remat}).carry[0];
  }

  template <class V>
  void visit(V& v) {
    for (auto& p : stacked_) v(p.name, p.param);
  }

 private:
  Options options_{};
  Layer layer_;
  ParamList one_;
  ParamList stacked_;
};

}  // namespace kexue::nn
