// TensorFlow's names of BERT weights, as Hugging Face spells them.
#include <algorithm>
#include <array>

#include "kexue/io/weight_map.h"

namespace kexue::io {
namespace {

struct Rule {
  std::string_view from;
  std::string_view to;
};

// Whole names, first match wins.
constexpr std::array<Rule, 9> kWhole = {{
    {"cls/predictions/output_bias", "cls.predictions.bias"},
    {"cls/seq_relationship/output_weights", "cls.seq_relationship.weight"},
    {"cls/seq_relationship/output_bias", "cls.seq_relationship.bias"},
    {"output_weights",
     "classifier.weight"},  // of run_classifier.py, [labels,D]
    {"output_bias", "classifier.bias"},
    {"bert/embeddings/word_embeddings",
     "bert.embeddings.word_embeddings.weight"},
    {"bert/embeddings/position_embeddings",
     "bert.embeddings.position_embeddings.weight"},
    {"bert/embeddings/token_type_embeddings",
     "bert.embeddings.token_type_embeddings.weight"},
    {"generator_lm_head_bias", "generator_lm_head.bias"},
}};

constexpr std::string_view kAlbertTf =
    "bert/encoder/transformer/group_0/inner_group_0/";
constexpr std::string_view kAlbertHf =
    "albert.encoder.albert_layer_groups.0.albert_layers.0.";

constexpr std::array<Rule, 6> kAlbert = {{
    {"attention_1/self/", "attention."},
    {"attention_1/output/dense/", "attention.dense."},
    {"LayerNorm_1/", "full_layer_layer_norm."},
    {"LayerNorm/", "attention.LayerNorm."},
    {"ffn_1/intermediate/output/dense/", "ffn_output."},
    {"ffn_1/intermediate/dense/", "ffn."},
}};

// What training leaves in a checkpoint beside the weights.
bool is_bookkeeping(std::string_view name) {
  constexpr std::array<std::string_view, 8> kEnds = {
      "/adam_m",
      "/adam_v",
      "/Adam",
      "/Adam_1",
      "/lamb_m",
      "/lamb_v",
      "/ExponentialMovingAverage",
      "/Momentum"};
  constexpr std::array<std::string_view, 7> kNames = {"global_step",
                                                      "beta1_power",
                                                      "beta2_power",
                                                      "bad_steps",
                                                      "good_steps",
                                                      "current_loss_scale",
                                                      "loss_scale"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
         std::any_of(kEnds.begin(), kEnds.end(), [name](auto end) {
           return name.ends_with(end);
         });
}

// "layer_7" -> "layer.7"
std::string with_layer_number(std::string part) {
  constexpr std::string_view kLayer = "layer_";
  if (!part.starts_with(kLayer) || part.size() == kLayer.size()) return part;
  const bool digits = std::all_of(part.begin() + kLayer.size(),
                                  part.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  if (digits) part[kLayer.size() - 1] = '.';
  return part;
}

// The last part of a name: what Hugging Face calls the parameter.
std::string parameter(std::string_view last) {
  if (last == "kernel" || last == "gamma") return "weight";
  if (last == "beta") return "bias";
  if (last.ends_with("_embeddings")) return std::string(last) + ".weight";
  return std::string(last);
}

std::string by_parts(std::string_view name) {
  std::string out;
  for (;;) {
    const size_t slash = name.find('/');
    if (slash == std::string_view::npos) return out + parameter(name);
    out += with_layer_number(std::string(name.substr(0, slash))) + ".";
    name.remove_prefix(slash + 1);
  }
}

}  // namespace

std::optional<std::string> bert_tf_name(std::string_view name) {
  if (is_bookkeeping(name)) return std::nullopt;
  for (const Rule& r : kWhole) {
    if (r.from == name) return std::string(r.to);
  }
  if (name.starts_with(kAlbertTf)) {
    const std::string_view rest = name.substr(kAlbertTf.size());
    for (const Rule& r : kAlbert) {
      if (!rest.starts_with(r.from)) continue;
      return std::string(kAlbertHf) + std::string(r.to) +
             by_parts(rest.substr(r.from.size()));
    }
  }
  std::string out = by_parts(name);
  constexpr std::string_view kHead = "discriminator_predictions.dense_1.";
  if (out.starts_with(kHead)) {
    out.replace(0, kHead.size(), "discriminator_predictions.dense_prediction.");
  }
  return out;
}

}  // namespace kexue::io
