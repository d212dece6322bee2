// BERT with masked tokens, BERT as an encoder of sentences, GPT with RoPE.
//
//   L layers, H width, B batch, T tokens, V vocabulary, M masked a row
//   (heads of 64, feed-forward 4 H, no dropout so that losses compare)
#include <cmath>

#include "benchmarks/works/transformer.h"
#include "kexue/ir/graph.h"
#include "kexue/losses/losses.h"
#include "kexue/ops/ops.h"

namespace kexue::works {
namespace {

constexpr int64_t kHead = 64;

// One layer's parameters, stacked over L.
const std::vector<std::pair<std::string, Shape>>& layer_shapes(int64_t h) {
  static std::map<int64_t, std::vector<std::pair<std::string, Shape>>> known;
  auto& shapes = known[h];
  if (shapes.empty()) {
    for (const char* name : {"query", "key", "value", "output"}) {
      shapes.push_back({std::string(name) + ".weight", {h, h}});
      shapes.push_back({std::string(name) + ".bias", {h}});
    }
    shapes.push_back({"inner.weight", {4 * h, h}});
    shapes.push_back({"inner.bias", {4 * h}});
    shapes.push_back({"outer.weight", {h, 4 * h}});
    shapes.push_back({"outer.bias", {h}});
    for (const char* name : {"norm1", "norm2"}) {
      shapes.push_back({std::string(name) + ".weight", {h}});
      shapes.push_back({std::string(name) + ".bias", {h}});
    }
  }
  return shapes;
}

}  // namespace

void add_layers(ParamTable& table, int64_t depth, int64_t h) {
  for (const auto& [name, shape] : layer_shapes(h)) {
    auto dims = shape.dims();
    dims.insert(dims.begin(), depth);
    const bool is_norm = name.starts_with("norm");
    if (is_norm && name.ends_with("weight")) {
      table.add_ones("layers." + name, Shape(dims));
    } else {
      table.add(
          "layers." + name, Shape(dims), name.ends_with("weight") ? 0.02 : 0.0);
    }
  }
}

namespace {

using Layer = std::function<Value(const ParamValues&, const Value&)>;

// x through all layers, as one loop.
Value run_layers(const ParamValues& p,
                 int64_t h,
                 const Value& x,
                 const Layer& layer,
                 const ops::RematPolicy& remat = {}) {
  Values stacked;
  std::vector<Slot> slots;
  for (const auto& [name, shape] : layer_shapes(h)) {
    stacked.push_back(p["layers." + name]);
    slots.push_back(slot(name, DType::kF32, shape.dims(), nullptr));
  }
  const auto body = [&](const Values& carry, const Values& slices) {
    return std::pair<Values, Values>(
        {layer(ParamValues(slots, slices), carry[0])}, {});
  };
  return ops::scan(body, {x}, stacked, {.remat = remat}).carry[0];
}

Value heads(const Value& x) {
  return ops::reshape(x, {x.dim(0), x.dim(1), x.dim(2) / kHead, kHead});
}

Value merged(const Value& x) {
  return ops::reshape(x, {x.dim(0), x.dim(1), x.dim(2) * x.dim(3)});
}

Value attend(const Value& q,
             const Value& k,
             const Value& v,
             const Value& mask,
             bool is_causal) {
  const Value key = ops::full({DType::kU32, {2}}, 0);
  const double scale = 1 / std::sqrt(double{kHead});
  return ops::attention(q, k, v, mask, key, scale, 0, is_causal);
}

Value feed_forward(const ParamValues& p, const Value& x) {
  const Scope scope("ffn");
  return dense(p, "outer", ops::gelu(dense(p, "inner", x)));
}

// Post-norm, every position visible.
Value bert_layer(const ParamValues& p, const Value& x, const Value& mask) {
  Value y;
  {
    const Scope scope("attention");
    const Value mixed = attend(heads(dense(p, "query", x)),
                               heads(dense(p, "key", x)),
                               heads(dense(p, "value", x)),
                               mask,
                               false);
    y = dense(p, "output", merged(mixed));
  }
  const Value h = norm(p, "norm1", x + y);
  return norm(p, "norm2", h + feed_forward(p, h));
}

Value every_token(const Value& ids) {
  return ops::full({DType::kBool, ids.shape()}, 1);
}

}  // namespace

Value encode(const ParamValues& p,
             int64_t h,
             const Value& ids,
             const Value& mask) {
  Value x;
  {
    const Scope scope("embeddings");
    const Value positions = ops::slice_axis(p["positions"], 0, 0, ids.dim(1));
    x = norm(p, "embedding_norm", ops::take(p["words"], ids) + positions);
  }
  const Scope scope("encoder");
  return run_layers(p, h, x, [&](const ParamValues& q, const Value& v) {
    return bert_layer(q, v, mask);
  });
}

void add_embeddings(ParamTable& table, const Sizes& s) {
  table.add("words", {s.at("V"), s.at("H")}, 0.02);
  table.add("positions", {512, s.at("H")}, 0.02);
  table.add_norm("embedding_norm", s.at("H"));
}

namespace {

// Rotates pairs (i, i + D/2) of each head by the angle t 10000^(-2i/D).
// x f[B,T,h,D]. Source: Su et al. 2021, arXiv:2104.09864 (half-split form).
Value rope(const Value& x) {
  const int64_t t = x.dim(1);
  const int64_t half = x.dim(3) / 2;
  std::vector<double> c;
  std::vector<double> s;
  for (int64_t i = 0; i < t; ++i) {
    for (int64_t k = 0; k < half; ++k) {
      const double angle =
          static_cast<double>(i) *
          std::pow(10000.0,
                   -static_cast<double>(k) / static_cast<double>(half));
      c.push_back(std::cos(angle));
      s.push_back(std::sin(angle));
    }
  }
  const TensorType type{x.dtype(), {t, 1, half}};
  const Value cosine = ops::constant(HostArray::from_doubles(type, c));
  const Value sine = ops::constant(HostArray::from_doubles(type, s));
  const Value a = ops::slice_axis(x, 3, 0, half);
  const Value b = ops::slice_axis(x, 3, half, 2 * half);
  return ops::concatenate({a * cosine - b * sine, b * cosine + a * sine}, 3);
}

// Pre-norm, each position sees itself and those before it.
Value gpt_layer(const ParamValues& p, const Value& x, const Value& mask) {
  Value y;
  {
    const Scope scope("attention");
    const Value h = norm(p, "norm1", x);
    const Value q = rope(heads(dense(p, "query", h)));
    const Value k = rope(heads(dense(p, "key", h)));
    const Value v = heads(dense(p, "value", h));
    y = dense(p, "output", merged(attend(q, k, v, mask, true)));
  }
  const Value h = x + y;
  return h + feed_forward(p, norm(p, "norm2", h));
}

Value ones_weights(const Value& labels) {
  return ops::full({DType::kF32, labels.shape()}, 1);
}

}  // namespace

Work make_bert_train(const Sizes& s) {
  const int64_t h = s.at("H");
  const int64_t masked = s.at("B") * s.at("M");
  ParamTable table;
  add_embeddings(table, s);
  add_layers(table, s.at("L"), h);
  table.add_dense("head", h, h);
  table.add_norm("head_norm", h);
  table.add("head_bias", {s.at("V")}, 0);
  const std::vector<Slot> inputs = {
      slot("ids", DType::kI32, {s.at("B"), s.at("T")}, below(s.at("V"))),
      slot("places", DType::kI32, {masked}, below(s.at("B") * s.at("T"))),
      slot("labels", DType::kI32, {masked}, below(s.at("V")))};
  const auto loss = [h](const ParamValues& p, const Values& in) {
    const Value x = encode(p, h, in[0], every_token(in[0]));
    const Scope scope("head");
    const Value rows = ops::take(ops::reshape(x, {-1, h}), in[1]);
    const Value y = norm(p, "head_norm", ops::gelu(dense(p, "head", rows)));
    const Value logits =
        ops::einsum("bd,vd->bv", y, p["words"], p["head_bias"]);
    return losses::cross_entropy(logits, in[2], ones_weights(in[2]));
  };
  return training(table, inputs, loss);
}

Work make_bert_embed(const Sizes& s) {
  const int64_t h = s.at("H");
  ParamTable table;
  add_embeddings(table, s);
  add_layers(table, s.at("L"), h);
  Work work;
  work.inputs = table.slots();
  work.inputs.push_back(
      slot("ids", DType::kI32, {s.at("B"), s.at("T")}, below(s.at("V"))));
  const std::vector<Slot> slots = table.slots();
  work.step = [slots, h](const Values&, const Values& in) -> StepResult {
    const ParamValues p(slots, in);
    const Value x = encode(p, h, in.back(), every_token(in.back()));
    const Scope scope("pooling");
    const Value mean = ops::mean(x, {1});
    const Value unit = mean * ops::rsqrt(ops::sum(mean * mean, {1}, true));
    return {ops::mean(ops::abs(unit)), {}};
  };
  return work;
}

// Two hundred thin layers in one loop: cost a layer must not grow with depth.
Work make_deep_scan(const Sizes& s) {
  const int64_t h = s.at("H");
  ParamTable table;
  add_layers(table, s.at("L"), h);
  const std::vector<int64_t> dims = {s.at("B"), s.at("T"), h};
  const std::vector<Slot> inputs = {
      slot("x", DType::kF32, dims, normal(1)),
      slot("target", DType::kF32, dims, normal(1))};
  const auto loss = [h](const ParamValues& p, const Values& in) {
    const Scope scope("encoder");
    const Value mask =
        ops::full({DType::kBool, {in[0].dim(0), in[0].dim(1)}}, 1);
    // A loop this long keeps its residuals in stacks: what is cheap to compute
    // again is not worth the copies.
    const Value y = run_layers(
        p,
        h,
        in[0],
        [&](const ParamValues& q, const Value& v) {
          return bert_layer(q, v, mask);
        },
        ops::RematPolicy::save_products());
    const Value d = y - in[1];
    return ops::mean(d * d);
  };
  return training(table, inputs, loss);
}

Work make_gpt_train(const Sizes& s) {
  const int64_t h = s.at("H");
  const int64_t t = s.at("T");
  ParamTable table;
  table.add("words", {s.at("V"), h}, 0.02);
  add_layers(table, s.at("L"), h);
  table.add_norm("last_norm", h);
  const std::vector<Slot> inputs = {
      slot("ids", DType::kI32, {s.at("B"), t}, below(s.at("V"))),
      slot("labels", DType::kI32, {s.at("B"), t}, below(s.at("V")))};
  const auto loss = [h](const ParamValues& p, const Values& in) {
    const Value mask = ops::full({DType::kBool, in[0].shape()}, 1);
    Value x = ops::take(p["words"], in[0]);
    {
      const Scope scope("decoder");
      x = run_layers(p, h, x, [&](const ParamValues& q, const Value& v) {
        return gpt_layer(q, v, mask);
      });
    }
    const Scope scope("head");
    const Value rows = ops::reshape(norm(p, "last_norm", x), {-1, h});
    const Value logits = ops::einsum("bd,vd->bv", rows, p["words"]);
    const Value labels = ops::reshape(in[1], {-1});
    return losses::cross_entropy(logits, labels, ones_weights(labels));
  };
  return training(table, inputs, loss);
}

}  // namespace kexue::works
