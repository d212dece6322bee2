#include "kexue/models/bert_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/json.h"
#include "kexue/io/model_weights.h"
#include "kexue/io/safetensors.h"

namespace kexue::models {
namespace {

using nlohmann::json;

// Typed reads of config.json with the key in every message.
class ConfigReader final {
 public:
  ConfigReader(const json& root, std::string where)
      : root_(root), where_(std::move(where)) {}

  int64_t size(const char* key, int64_t limit) const {
    if (!root_.contains(key)) {
      throw Error(Code::kCorruptData,
                  fmt::format("{}: \"{}\" is missing", where_, key));
    }
    const json& v = root_[key];
    if (!v.is_number_unsigned() || v.get<uint64_t>() == 0 ||
        v.get<uint64_t>() > static_cast<uint64_t>(limit)) {
      throw Error(Code::kCorruptData,
                  fmt::format("{}: \"{}\" must be an integer in 1..{}, got {}",
                              where_,
                              key,
                              limit,
                              v.dump()));
    }
    return v.get<int64_t>();
  }

  double number(const char* key,
                double fallback,
                double low,
                double high) const {
    if (!root_.contains(key)) return fallback;
    const json& v = root_[key];
    if (!v.is_number() || !(v.get<double>() >= low) ||
        !(v.get<double>() <= high)) {
      throw Error(Code::kCorruptData,
                  fmt::format("{}: \"{}\" must be a number in [{}, {}], got {}",
                              where_,
                              key,
                              low,
                              high,
                              v.dump()));
    }
    return v.get<double>();
  }

  std::string text(const char* key, const std::string& fallback) const {
    if (!root_.contains(key) || root_[key].is_null()) return fallback;
    if (!root_[key].is_string()) {
      throw Error(Code::kCorruptData,
                  fmt::format("{}: \"{}\" must be text", where_, key));
    }
    return root_[key].get<std::string>();
  }

  std::vector<std::string> labels() const {
    std::vector<std::string> out;
    if (root_.contains("id2label") && root_["id2label"].is_object()) {
      const json& map = root_["id2label"];
      for (size_t i = 0; i < map.size(); ++i) {
        const std::string id = std::to_string(i);
        if (!map.contains(id) || !map[id].is_string()) {
          throw Error(
              Code::kCorruptData,
              fmt::format("{}: id2label has no text for {}", where_, id));
        }
        out.push_back(map[id].get<std::string>());
      }
    } else if (root_.contains("num_labels")) {
      for (int64_t i = 0; i < size("num_labels", 1 << 16); ++i) {
        out.push_back(fmt::format("LABEL_{}", i));
      }
    }
    return out;
  }

 private:
  const json& root_;
  std::string where_;
};

// The tensor under any of its known names; empty name if there is none.
std::string find_name(const io::ModelWeights& weights,
                      const std::string& name) {
  std::vector<std::string> forms = {name};
  const auto swap = [&](std::string_view from, std::string_view to) {
    const std::string tail = std::string("LayerNorm.") + std::string(from);
    if (name.ends_with(tail)) {
      forms.push_back(name.substr(0, name.size() - from.size()) +
                      std::string(to));
    }
  };
  swap("weight", "gamma");
  swap("bias", "beta");
  for (const auto& f : forms) {
    if (weights.contains(f)) return f;
    if (weights.contains("bert." + f)) return "bert." + f;
  }
  return "";
}

// Outputs of the classifier; 0 without one, or if it is no matrix.
int64_t classifier_rows(const io::ModelWeights& weights) {
  if (!weights.contains("classifier.weight")) return 0;
  const Shape shape = weights.type("classifier.weight").shape;
  return shape.rank() == 2 ? shape[0] : 0;
}

bool has_masked_lm(const io::ModelWeights& weights) {
  return !find_name(weights, hugging_face_name("predictions.bias", -1)).empty();
}

class Loader final {
 public:
  Loader(const io::ModelWeights& weights, LoadedBert& out, Key key)
      : weights_(weights), out_(out), key_(key) {}

  void make(const nn::NamedParam& p) {
    out_.values.push_back(p.param.initial(key_.fold_in(out_.values.size())));
    out_.fresh.push_back(p.name);
  }

  void load(const nn::NamedParam& p) {
    if (!p.name.starts_with("encoder.")) {
      out_.values.push_back(find(p.name, -1, p.param.type()));
      return;
    }
    const int64_t parts = p.param.shape()[0];
    HostArray whole(p.param.type());
    const size_t bytes = whole.bytes() / static_cast<size_t>(parts);
    auto dims = whole.shape().dims();
    dims.erase(dims.begin());
    for (int64_t i = 0; i < parts; ++i) {
      const HostArray part = find(p.name, i, {DType::kF32, Shape(dims)});
      std::memcpy(whole.mutable_data() + static_cast<size_t>(i) * bytes,
                  part.data(),
                  bytes);
    }
    out_.values.push_back(std::move(whole));
  }

  void list_unexpected() {
    for (const auto& name : weights_.names()) {
      if (!used_.contains(name)) out_.unexpected.push_back(name);
    }
  }

 private:
  // One tensor of the file, by our name; a view of the mapped file if it needs
  // no conversion.
  HostArray find(const std::string& ours, int64_t layer, TensorType type) {
    const std::string want = hugging_face_name(ours, layer);
    const std::string found = find_name(weights_, want);
    if (found.empty()) {
      throw Error(Code::kNotFound,
                  fmt::format("{}: no tensor \"{}\" (nor \"bert.{}\")",
                              weights_.shards().at(0).where(),
                              want,
                              want),
                  "is this a BERT checkpoint, and complete?");
    }
    used_.insert(found);
    return read(found, std::move(type));
  }

  HostArray read(const std::string& name, const TensorType& want) const {
    const TensorType found = weights_.type(name);
    if (found.shape != want.shape || !is_float(found.dtype)) {
      throw Error(Code::kCorruptData,
                  fmt::format("{}: tensor \"{}\" must be {}, found {}",
                              weights_.shards().at(0).where(),
                              name,
                              want.str(),
                              found.str()),
                  "config.json and the weights do not belong together");
    }
    return weights_.tensor(name).cast(DType::kF32);
  }

  const io::ModelWeights& weights_;
  LoadedBert& out_;
  Key key_;
  std::set<std::string> used_;
};

}  // namespace

BertConfig read_bert_config(const std::string& folder) {
  const std::string path = folder + "/config.json";
  const json root = io::parse_json_file(path);
  if (!root.is_object()) {
    throw Error(Code::kCorruptData, path + ": must be a JSON object");
  }
  const ConfigReader r(root, path);
  const std::string type = r.text("model_type", "bert");
  const std::string positions = r.text("position_embedding_type", "absolute");
  if (type != "bert" || positions != "absolute") {
    throw Error(Code::kUnsupported,
                fmt::format("{}: model_type \"{}\" with {} positions; this "
                            "version reads bert with absolute ones",
                            path,
                            type,
                            positions));
  }
  BertConfig c;
  c.vocab = r.size("vocab_size", 1 << 24);
  c.hidden = r.size("hidden_size", 1 << 16);
  c.layers = r.size("num_hidden_layers", 4096);
  c.heads = r.size("num_attention_heads", 1 << 12);
  c.inner = r.size("intermediate_size", 1 << 18);
  c.positions = r.size("max_position_embeddings", 1 << 20);
  c.types = r.size("type_vocab_size", 1 << 10);
  c.activation_name = r.text("hidden_act", "gelu");
  c.activation = nn::activation_from_name(c.activation_name);
  c.eps = r.number("layer_norm_eps", 1e-12, 0, 1);
  c.dropout = r.number("hidden_dropout_prob", 0.1, 0, 0.999);
  c.attention_dropout = r.number("attention_probs_dropout_prob", 0.1, 0, 0.999);
  c.labels = r.labels();
  return c;
}

BertHeads bert_heads(const std::string& folder) {
  const auto weights =
      io::open_model_weights(folder, {.access = io::Safetensors::Access::kMap});
  BertHeads heads;
  heads.classes = classifier_rows(weights);
  heads.masked_lm = has_masked_lm(weights);
  return heads;
}

LoadedBert load_bert(const std::string& folder, const LoadOptions& options) {
  LoadedBert out;
  out.config = read_bert_config(folder);
  const auto weights =
      io::open_model_weights(folder, {.access = io::Safetensors::Access::kMap});
  const bool has_classifier =
      !options.masked_lm && weights.contains("classifier.weight");
  const bool fresh_head = !options.new_labels.empty();
  if (fresh_head) {
    out.config.labels = options.new_labels;
  } else if (has_classifier) {
    const auto count = static_cast<size_t>(classifier_rows(weights));
    while (out.config.labels.size() < count) {
      out.config.labels.push_back(
          fmt::format("LABEL_{}", out.config.labels.size()));
    }
    out.config.labels.resize(count);
  } else {
    out.config.labels.clear();
  }
  if (options.want_classifier && out.config.labels.empty()) {
    throw Error(Code::kNotFound,
                fmt::format("{}: the model has no classifier", folder),
                "fine-tune it first: kexue train CONFIG.toml");
  }
  out.config.pooler = has_classifier && !fresh_head &&
                      !find_name(weights, "pooler.dense.weight").empty();
  const bool trained_masked_lm = has_masked_lm(weights);
  out.config.masked_lm = options.masked_lm;
  Bert model({.config = out.config});
  Loader loader(weights, out, options.key);
  for (const auto& p : model.parameters()) {
    // A classifier of the file was trained on other classes.
    const bool fresh =
        (fresh_head && p.name.starts_with("classifier.")) ||
        (!trained_masked_lm && p.name.starts_with("predictions."));
    fresh ? loader.make(p) : loader.load(p);
  }
  loader.list_unexpected();
  return out;
}

LoadedBert fresh_bert(const BertConfig& config, Key key) {
  LoadedBert out;
  out.config = config;
  Bert model({.config = config});
  const auto params = model.parameters();
  out.values = nn::initial_values(params, key);
  for (const auto& p : params) out.fresh.push_back(p.name);
  return out;
}

std::vector<std::pair<std::string, HostArray>> bert_tensors(
    const BertConfig& config, const std::vector<HostArray>& values) {
  Bert model({.config = config});
  const auto params = model.parameters();
  if (params.size() != values.size()) {
    throw Error(Code::kInternal, "bert: parameters and values differ");
  }
  std::vector<std::pair<std::string, HostArray>> out;
  for (size_t i = 0; i < params.size(); ++i) {
    const std::string& name = params[i].name;
    const bool head =
        name.starts_with("classifier.") || name.starts_with("predictions.");
    const std::string prefix = head ? "" : "bert.";
    if (!name.starts_with("encoder.")) {
      out.emplace_back(prefix + hugging_face_name(name, -1), values[i]);
      continue;
    }
    auto dims = values[i].shape().dims();
    const int64_t layers = dims[0];
    dims.erase(dims.begin());
    for (int64_t l = 0; l < layers; ++l) {
      HostArray part(values[i].dtype(), Shape(dims));
      std::memcpy(part.mutable_data(),
                  values[i].data() + static_cast<size_t>(l) * part.bytes(),
                  part.bytes());
      out.emplace_back(prefix + hugging_face_name(name, l), part);
    }
  }
  return out;
}

void save_bert(const std::string& folder,
               const BertConfig& c,
               const std::vector<HostArray>& values) {
  nlohmann::ordered_json root = {
      {"architectures",
       {c.masked_lm        ? "BertForMaskedLM"
        : c.labels.empty() ? "BertModel"
                           : "BertForSequenceClassification"}},
      {"model_type", "bert"},
      {"vocab_size", c.vocab},
      {"hidden_size", c.hidden},
      {"num_hidden_layers", c.layers},
      {"num_attention_heads", c.heads},
      {"intermediate_size", c.inner},
      {"hidden_act", c.activation_name},
      {"max_position_embeddings", c.positions},
      {"type_vocab_size", c.types},
      {"layer_norm_eps", c.eps},
      {"hidden_dropout_prob", c.dropout},
      {"attention_probs_dropout_prob", c.attention_dropout},
      {"position_embedding_type", "absolute"},
      {"pad_token_id", 0},
      {"classifier_input", c.pooler ? "pooler" : "first_token"}};
  if (!c.labels.empty()) {
    root["id2label"] = nlohmann::ordered_json::object();
    root["label2id"] = nlohmann::ordered_json::object();
    for (size_t i = 0; i < c.labels.size(); ++i) {
      root["id2label"][std::to_string(i)] = c.labels[i];
      root["label2id"][c.labels[i]] = i;
    }
  }
  io::save_safetensors(folder + "/model.safetensors",
                       bert_tensors(c, values),
                       {{"format", "pt"}});
  io::write_file(folder + "/config.json", root.dump(2) + "\n");
}

}  // namespace kexue::models
