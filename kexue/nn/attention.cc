#include "kexue/nn/attention.h"

#include <fmt/format.h>

#include <cmath>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"

namespace kexue::nn {

MultiHeadAttention::MultiHeadAttention(const Options& options)
    : options_(options),
      query_({.in = options.dim, .out = options.dim}),
      key_({.in = options.dim, .out = options.dim}),
      value_({.in = options.dim, .out = options.dim}),
      output_({.in = options.dim, .out = options.dim}) {
  if (options.heads < 1 || options.dim % options.heads != 0) {
    throw Error(Code::kInvalidArgument,
                fmt::format("attention: width {} is not divisible by {} heads",
                            options.dim,
                            options.heads));
  }
}

Value MultiHeadAttention::operator()(const Value& x, const Value& mask) const {
  const Scope scope("attention");
  const int64_t width = options_.dim / options_.heads;
  const auto split = [&](const Value& v) {
    return ops::reshape(v, {v.dim(0), v.dim(1), options_.heads, width});
  };
  Value key = RandomScope::next_key();
  const double rate = key ? options_.dropout : 0;
  if (!key) {
    key = ops::constant(HostArray(DType::kU32, Shape{2}));
  }
  const Value o = ops::attention(split(query_(x)),
                                 split(key_(x)),
                                 split(value_(x)),
                                 mask,
                                 key,
                                 1.0 / std::sqrt(static_cast<double>(width)),
                                 rate);
  return output_(ops::reshape(o, x.shape().dims()));
}

Activation activation_from_name(const std::string& name) {
  if (name == "gelu") return Activation::kGelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") {
    return Activation::kGeluTanh;
  }
  if (name == "relu") return Activation::kRelu;
  throw Error(Code::kUnsupported,
              fmt::format("activation \"{}\" is not one of gelu, gelu_new, "
                          "gelu_pytorch_tanh, relu",
                          name));
}

Value activate(Activation activation, const Value& x) {
  switch (activation) {
    case Activation::kGelu:
      return ops::gelu(x);
    case Activation::kGeluTanh:
      return ops::gelu_tanh(x);
    case Activation::kRelu:
      return ops::relu(x);
  }
  throw Error(Code::kInternal, "unknown activation");
}

FeedForward::FeedForward(const Options& options)
    : options_(options),
      inner_({.in = options.dim, .out = options.inner}),
      outer_({.in = options.inner, .out = options.dim}) {}

Value FeedForward::operator()(const Value& x) const {
  const Scope scope("ffn");
  return outer_(activate(options_.activation, inner_(x)));
}

PostNormLayer::PostNormLayer(const Options& options)
    : options_(options),
      attention_({.dim = options.dim,
                  .heads = options.heads,
                  .dropout = options.attention_dropout}),
      attention_norm_({.dim = options.dim, .eps = options.eps}),
      ffn_({.dim = options.dim,
            .inner = options.inner,
            .activation = options.activation}),
      ffn_norm_({.dim = options.dim, .eps = options.eps}) {}

Value PostNormLayer::operator()(const Value& x, const Value& mask) const {
  const Value a =
      attention_norm_(x + dropout(attention_(x, mask), options_.dropout));
  return ffn_norm_(a + dropout(ffn_(a), options_.dropout));
}

}  // namespace kexue::nn
