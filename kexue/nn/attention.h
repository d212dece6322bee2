// Multi-head attention and the feed-forward block.
#pragma once

#include <cstdint>
#include <string>

#include "kexue/nn/layers.h"

namespace kexue::nn {

// MHA(x) = concat_h(softmax(q k^T / sqrt(k)) v) W_o, all projections biased.
//
// Shapes:   x f[B,T,D], mask bool[B,T] (true = a real token) -> f[B,T,D].
// Numerics: see ops::attention; dropout acts on the probabilities.
// Errors:   kInvalidArgument if D is not divisible by the number of heads.
// Source:   Vaswani et al. 2017, arXiv:1706.03762.
class MultiHeadAttention final {
 public:
  struct Options {
    int64_t dim;
    int64_t heads;
    double dropout = 0;
  };
  MultiHeadAttention() = default;
  explicit MultiHeadAttention(const Options& options);
  Value operator()(const Value& x, const Value& mask) const;
  template <class V>
  void visit(V& v) {
    v("query", query_);
    v("key", key_);
    v("value", value_);
    v("output", output_);
  }

 private:
  Options options_{};
  Dense query_, key_, value_, output_;
};

enum class Activation { kGelu, kGeluTanh, kRelu };
// "gelu", "gelu_new", "relu" as in Hugging Face configurations.
// Errors: kUnsupported with the known names.
Activation activation_from_name(const std::string& name);
Value activate(Activation activation, const Value& x);

// FFN(x) = W_2 act(W_1 x + b_1) + b_2.   f[...,D] -> f[...,D]
class FeedForward final {
 public:
  struct Options {
    int64_t dim;
    int64_t inner;
    Activation activation = Activation::kGelu;
  };
  FeedForward() = default;
  explicit FeedForward(const Options& options);
  Value operator()(const Value& x) const;
  template <class V>
  void visit(V& v) {
    v("inner", inner_);
    v("outer", outer_);
  }

 private:
  Options options_{};
  Dense inner_, outer_;
};

// Post-norm: x = LN(x + drop(MHA(x))); x = LN(x + drop(FFN(x))).
class PostNormLayer final {
 public:
  struct Options {
    int64_t dim;
    int64_t heads;
    int64_t inner;
    Activation activation = Activation::kGelu;
    double dropout = 0;
    double attention_dropout = 0;
    double eps = 1e-12;
  };
  PostNormLayer() = default;
  explicit PostNormLayer(const Options& options);
  Value operator()(const Value& x, const Value& mask) const;
  template <class V>
  void visit(V& v) {
    v("attention", attention_);
    v("attention_norm", attention_norm_);
    v("ffn", ffn_);
    v("ffn_norm", ffn_norm_);
  }

 private:
  Options options_{};
  MultiHeadAttention attention_;
  LayerNorm attention_norm_;
  FeedForward ffn_;
  LayerNorm ffn_norm_;
};

}  // namespace kexue::nn
