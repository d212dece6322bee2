// The basic layers: Dense, Embedding, LayerNorm, dropout.
#pragma once

#include <cstdint>

#include "kexue/ir/value.h"
#include "kexue/nn/param.h"

namespace kexue::nn {

// y = x W^T + b.
//
// Shapes:   x f[...,in] -> f[...,out]; weight f[out,in], bias f[out].
// Errors:   kInvalidArgument showing both if x does not end in `in`.
class Dense final {
 public:
  struct Options {
    int64_t in;
    int64_t out;
    bool bias = true;
    Init init = Init::truncated_normal(0.02F);
  };
  Dense() = default;
  explicit Dense(const Options& options);
  Value operator()(const Value& x) const;
  template <class V>
  void visit(V& v) {
    v("weight", weight_);
    if (options_.bias) v("bias", bias_);
  }

 private:
  Options options_{};
  Param weight_;
  Param bias_;
};

// Rows of a table.
//
// Shapes:   ids i32[...] -> f[...,dim]; weight f[count,dim].
// Numerics: ids outside the table are clamped; batches are checked on the host.
class Embedding final {
 public:
  struct Options {
    int64_t count;
    int64_t dim;
    Init init = Init::truncated_normal(0.02F);
  };
  Embedding() = default;
  explicit Embedding(const Options& options);
  Value operator()(const Value& ids) const;
  // The first n rows, f[n,dim]: position tables.
  Value first(int64_t n) const;
  const Param& weight() const { return weight_; }
  template <class V>
  void visit(V& v) {
    v("weight", weight_);
  }

 private:
  Options options_{};
  Param weight_;
};

// ops::layer_norm with learned gamma ("weight", starts at 1) and beta ("bias").
class LayerNorm final {
 public:
  struct Options {
    int64_t dim;
    double eps = 1e-12;
  };
  LayerNorm() = default;
  explicit LayerNorm(const Options& options);
  Value operator()(const Value& x) const;
  template <class V>
  void visit(V& v) {
    v("weight", gamma_);
    v("bias", beta_);
  }

 private:
  Options options_{};
  Param gamma_;
  Param beta_;
};

// While a RandomScope lives on this thread, layers that use random numbers
// find keys: each call of next_key() is a stream of its own. Without a scope
// (evaluation) dropout passes its input.
class RandomScope final {
 public:
  // Binds `key` (u32[2]) in `graph`.
  RandomScope(ir::Graph& graph, const Value& key);
  ~RandomScope();
  RandomScope(const RandomScope&) = delete;
  RandomScope& operator=(const RandomScope&) = delete;

  // Empty outside of any scope.
  static Value next_key();
  // Rebinds the key inside a region (a layer of a scan has its own).
  static void rebind(ir::Graph& graph, const Value& key);
  static Value current();

 private:
  uint32_t previous_;
};

// ops::dropout with the next key; x itself without a RandomScope or if rate=0.
Value dropout(const Value& x, double rate);

}  // namespace kexue::nn
