#include "kexue/models/bert.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"

namespace kexue::models {
namespace {

const BertConfig& checked(const BertConfig& c) {
  const bool positive = c.vocab > 0 && c.hidden > 0 && c.layers > 0 &&
                        c.heads > 0 && c.inner > 0 && c.positions > 0 &&
                        c.types > 0;
  if (!positive) {
    throw Error(Code::kInvalidArgument,
                fmt::format("bert: sizes must be positive: vocab {}, hidden "
                            "{}, layers {}, heads {}, inner {}, positions {}, "
                            "types {}",
                            c.vocab,
                            c.hidden,
                            c.layers,
                            c.heads,
                            c.inner,
                            c.positions,
                            c.types));
  }
  return c;
}

nn::PostNormLayer layer_of(const BertConfig& c) {
  return nn::PostNormLayer({.dim = c.hidden,
                            .heads = c.heads,
                            .inner = c.inner,
                            .activation = c.activation,
                            .dropout = c.dropout,
                            .attention_dropout = c.attention_dropout,
                            .eps = c.eps});
}

Value first_token(const Value& hidden) {
  return ops::reshape(ops::slice_axis(hidden, 1, 0, 1),
                      {hidden.dim(0), hidden.dim(2)});
}

}  // namespace

Bert::Bert(const Options& options)
    : options_(options),
      word_({.count = checked(options.config).vocab,
             .dim = options.config.hidden}),
      position_(
          {.count = options.config.positions, .dim = options.config.hidden}),
      type_({.count = options.config.types, .dim = options.config.hidden}),
      norm_({.dim = options.config.hidden, .eps = options.config.eps}),
      encoder_({.depth = options.config.layers,
                .remat = options.remat ? ops::RematPolicy::save_nothing()
                                       : ops::RematPolicy::save_everything()},
               layer_of(options.config)) {
  const BertConfig& c = options.config;
  if (c.pooler) pooler_ = nn::Dense({.in = c.hidden, .out = c.hidden});
  if (!c.labels.empty()) {
    // One label: a regression or relevance score.
    classifier_ = nn::Dense(
        {.in = c.hidden, .out = static_cast<int64_t>(c.labels.size())});
  }
  if (c.masked_lm) {
    token_dense_ = nn::Dense({.in = c.hidden, .out = c.hidden});
    token_norm_ = nn::LayerNorm({.dim = c.hidden, .eps = c.eps});
    token_bias_ = nn::Param(Shape{c.vocab}, nn::Init::zeros());
  }
}

Value Bert::predict_tokens(const BertInputs& in, const Value& positions) const {
  if (!config().masked_lm) {
    throw Error(Code::kInvalidArgument,
                "bert: this model has no head for masked tokens");
  }
  const Value hidden = encode(in);
  const Scope scope("predictions");
  // A product in place of a gather: its gradient is one, too.
  const Value choose = ops::one_hot(positions, hidden.dim(1), hidden.dtype());
  const Value chosen =
      ops::reshape(ops::einsum("bpt,btd->bpd", choose, hidden),
                   {positions.dim(0) * positions.dim(1), hidden.dim(2)});
  const Value x =
      token_norm_(nn::activate(config().activation, token_dense_(chosen)));
  return ops::einsum("pd,vd->pv", x, word_.weight()(), token_bias_());
}

Value Bert::embeddings(const BertInputs& in) const {
  const Scope scope("embeddings");
  const Value word = word_(in.ids);
  const Value position = position_.first(in.ids.dim(1));
  Value type;
  if (config().types == 2) {
    // row0 + t (row1 - row0): its gradient is a sum, not a scatter.
    const Value table = type_.weight()();
    const Value zero = ops::slice_axis(table, 0, 0, 1);
    const Value step = ops::slice_axis(table, 0, 1, 2) - zero;
    const Value t = ops::reshape(ops::convert(in.types, table.dtype()),
                                 {in.types.dim(0), in.types.dim(1), 1});
    type = zero + t * step;
  } else {
    type = type_(in.types);
  }
  return nn::dropout(norm_(word + position + type), config().dropout);
}

Value Bert::encode(const BertInputs& in) const {
  const Scope scope("bert");
  const Value x = embeddings(in);
  const Scope inner("encoder");
  return encoder_(x, in.mask);
}

Value Bert::classify(const BertInputs& in) const {
  if (config().labels.empty()) {
    throw Error(Code::kInvalidArgument, "bert: this model has no classifier");
  }
  Value x = first_token(encode(in));
  const Scope scope("head");
  if (config().pooler) x = ops::tanh(pooler_(x));
  return classifier_(nn::dropout(x, config().dropout));
}

Value Bert::embed(const BertInputs& in, Pooling pooling) const {
  const Value hidden = encode(in);
  const Scope scope("pooling");
  Value x;
  if (pooling == Pooling::kCls) {
    x = first_token(hidden);
  } else {
    const Value m = ops::convert(in.mask, hidden.dtype());
    const Value column = ops::reshape(m, {m.dim(0), m.dim(1), 1});
    x = ops::sum(hidden * column, {1}) / ops::sum(column, {1});
  }
  const Value squares = ops::sum(x * x, {1}, true);
  return x * ops::rsqrt(ops::maximum(squares, ops::full_like(squares, 1e-24)));
}

nn::ShardingRules bert_sharding(bool split_vocabulary) {
  // Parameters of the encoder have the layer as their first dimension, and
  // weights are [out, in].
  const Sharding by_output{{}, {"model"}};
  const Sharding by_input{{}, {}, {"model"}};
  nn::ShardingRules rules = {{"attention.query.", by_output},
                             {"attention.key.", by_output},
                             {"attention.value.", by_output},
                             {"attention.output.weight", by_input},
                             {"ffn.inner.", by_output},
                             {"ffn.outer.weight", by_input}};
  if (split_vocabulary) {
    rules.push_back({"embeddings.word.", Sharding{{"model"}}});
  }
  return rules;
}

std::string hugging_face_name(const std::string& ours, int64_t layer) {
  using Row = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Row, 17> kModules = {{
      {"embeddings.word.", "embeddings.word_embeddings."},
      {"embeddings.position.", "embeddings.position_embeddings."},
      {"embeddings.type.", "embeddings.token_type_embeddings."},
      {"embeddings.norm.", "embeddings.LayerNorm."},
      {"encoder.attention.query.", "attention.self.query."},
      {"encoder.attention.key.", "attention.self.key."},
      {"encoder.attention.value.", "attention.self.value."},
      {"encoder.attention.output.", "attention.output.dense."},
      {"encoder.attention_norm.", "attention.output.LayerNorm."},
      {"encoder.ffn.inner.", "intermediate.dense."},
      {"encoder.ffn.outer.", "output.dense."},
      {"encoder.ffn_norm.", "output.LayerNorm."},
      {"pooler.", "pooler.dense."},
      {"classifier.", "classifier."},
      {"predictions.dense.", "cls.predictions.transform.dense."},
      {"predictions.norm.", "cls.predictions.transform.LayerNorm."},
      {"predictions.bias", "cls.predictions.bias"},
  }};
  for (const auto& [from, to] : kModules) {
    if (!ours.starts_with(from)) continue;
    const std::string tail = std::string(to) + ours.substr(from.size());
    return layer < 0 ? tail : fmt::format("encoder.layer.{}.{}", layer, tail);
  }
  throw Error(Code::kInternal, "bert: no weight name for " + ours);
}

}  // namespace kexue::models
