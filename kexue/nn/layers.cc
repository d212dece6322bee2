#include "kexue/nn/layers.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"

namespace kexue::nn {
namespace {

constexpr char kKeyTag = 0;  // its address names the random key
thread_local uint32_t next_site = 0;

}  // namespace

Dense::Dense(const Options& options)
    : options_(options), weight_(Shape{options.out, options.in}, options.init) {
  if (options.bias) bias_ = Param(Shape{options.out}, Init::zeros());
}

Value Dense::operator()(const Value& x) const {
  if (x.rank() < 1 || x.dim(-1) != options_.in) {
    throw Error(Code::kInvalidArgument,
                fmt::format("dense: last dim of x must be {}, got {}",
                            options_.in,
                            x.type().str()))
        .with_scope(Scope::path());
  }
  const std::string lead =
      std::string("abcdefgh").substr(0, static_cast<size_t>(x.rank() - 1));
  const std::string spec = lead + "i,oi->" + lead + "o";
  return options_.bias ? ops::einsum(spec, x, weight_(), bias_())
                       : ops::einsum(spec, x, weight_());
}

Embedding::Embedding(const Options& options)
    : options_(options),
      weight_(Shape{options.count, options.dim}, options.init) {}

Value Embedding::operator()(const Value& ids) const {
  return ops::take(weight_(), ids);
}

Value Embedding::first(int64_t n) const {
  if (n > options_.count) {
    throw Error(Code::kInvalidArgument,
                fmt::format("sequence of {} positions, but the position table "
                            "has {}",
                            n,
                            options_.count),
                "truncate the input (max_length)")
        .with_scope(Scope::path());
  }
  return ops::slice_axis(weight_(), 0, 0, n);
}

LayerNorm::LayerNorm(const Options& options)
    : options_(options),
      gamma_(Shape{options.dim}, Init::ones()),
      beta_(Shape{options.dim}, Init::zeros()) {}

Value LayerNorm::operator()(const Value& x) const {
  return ops::layer_norm(x, gamma_(), beta_(), options_.eps);
}

RandomScope::RandomScope(ir::Graph& graph, const Value& key)
    : previous_(next_site) {
  next_site = 0;
  rebind(graph, key);
}
RandomScope::~RandomScope() {
  next_site = previous_;
}

void RandomScope::rebind(ir::Graph& graph, const Value& key) {
  graph.bind(&kKeyTag, key);
}

Value RandomScope::current() {
  return ir::Tracing::current().find(&kKeyTag);
}

Value RandomScope::next_key() {
  const Value key = current();
  return key ? ops::fold_in(key, next_site++) : key;
}

Value dropout(const Value& x, double rate) {
  if (rate == 0) return x;
  const Value key = RandomScope::next_key();
  return key ? ops::dropout(x, key, rate) : x;
}

}  // namespace kexue::nn
