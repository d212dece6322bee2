#include "kexue/io/weight_map.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>

#include "kexue/io/gguf.h"
#include "kexue/io/onnx.h"
#include "kexue/io/printable.h"
#include "kexue/io/transpose.h"

namespace kexue::io {
namespace {

enum class Change { kNone, kTranspose, kRotaryHalves };

struct Renamed {
  size_t source = 0;
  std::string name;
  Change change = Change::kNone;
  int64_t heads = 1;  // of kRotaryHalves
};

// Row 2i of each head to i, row 2i+1 to i + d/2.
HostArray rotary_halves(const HostArray& a, int64_t heads) {
  const auto rows = static_cast<size_t>(a.shape()[0]);
  const size_t bytes = rows == 0 ? 0 : a.bytes() / rows;
  const size_t d = rows / static_cast<size_t>(heads);
  HostArray out(a.type());
  for (size_t r = 0; r < rows; ++r) {
    const size_t head = r / d;
    const size_t at = r % d;
    const size_t to = head * d + at / 2 + (at % 2) * (d / 2);
    std::memcpy(out.mutable_data() + to * bytes, a.data() + r * bytes, bytes);
  }
  return out;
}

class RenamedSource final : public TensorSource {
 public:
  RenamedSource(SourcePtr source, std::vector<Renamed> names)
      : TensorSource(source->format(), source->where()),
        source_(std::move(source)),
        names_(std::move(names)) {
    metadata_ = source_->metadata();
    std::unordered_set<std::string> taken;
    for (const Renamed& r : names_) {
      TensorInfo t = source_->tensors()[r.source];
      if (!taken.insert(r.name).second) {
        throw Error(Code::kUnsupported,
                    fmt::format("{}: {} would be a second {}",
                                where(),
                                printable(t.name),
                                printable(r.name)),
                    "--map none keeps the file's names");
      }
      t.name = r.name;
      if (r.change == Change::kTranspose) {
        t.shape = Shape{t.shape[1], t.shape[0]};
      }
      tensors_.push_back(std::move(t));
    }
  }

 protected:
  HostArray read(size_t i) const override {
    const Renamed& r = names_[i];
    HostArray a = source_->tensor(r.source);
    if (r.change == Change::kTranspose) return transposed(a);
    if (r.change == Change::kRotaryHalves) return rotary_halves(a, r.heads);
    return a;
  }

 private:
  SourcePtr source_;
  std::vector<Renamed> names_;
};

struct Pair {
  std::string_view from;
  std::string_view to;
};

bool replace(std::string& text, const Pair& pair) {
  const size_t at = text.find(pair.from);
  if (at == std::string::npos) return false;
  text.replace(at, pair.from.size(), pair.to);
  return true;
}

SourcePtr bert_tf(SourcePtr source) {
  const bool albert = std::any_of(
      source->tensors().begin(), source->tensors().end(), [](const auto& t) {
        return t.name.starts_with("bert/encoder/transformer/group_0/");
      });
  std::vector<Renamed> names;
  for (size_t i = 0; i < source->tensors().size(); ++i) {
    const TensorInfo& t = source->tensors()[i];
    auto name = bert_tf_name(t.name);
    if (!name) continue;
    if (albert && name->starts_with("bert.")) name->insert(0, "al");
    const bool kernel = t.name.ends_with("/kernel") && t.shape.rank() == 2;
    names.push_back({.source = i,
                     .name = *name,
                     .change = kernel ? Change::kTranspose : Change::kNone});
  }
  return std::make_shared<RenamedSource>(source, std::move(names));
}

SourcePtr bert_legacy(SourcePtr source) {
  std::vector<Renamed> names;
  for (size_t i = 0; i < source->tensors().size(); ++i) {
    std::string name = source->tensors()[i].name;
    if (name.ends_with("LayerNorm.gamma")) replace(name, {".gamma", ".weight"});
    if (name.ends_with("LayerNorm.beta")) replace(name, {".beta", ".bias"});
    names.push_back({.source = i, .name = std::move(name)});
  }
  return std::make_shared<RenamedSource>(source, std::move(names));
}

constexpr std::array<Pair, 14> kLlamaNames = {{
    {"token_embd.", "model.embed_tokens."},
    {"output_norm.", "model.norm."},
    {"output.", "lm_head."},
    {".attn_q.", ".self_attn.q_proj."},
    {".attn_k.", ".self_attn.k_proj."},
    {".attn_v.", ".self_attn.v_proj."},
    {".attn_output.", ".self_attn.o_proj."},
    {".attn_norm.", ".input_layernorm."},
    {".ffn_norm.", ".post_attention_layernorm."},
    {".ffn_gate.", ".mlp.gate_proj."},
    {".ffn_up.", ".mlp.up_proj."},
    {".ffn_down.", ".mlp.down_proj."},
    {".attn_rot_embd.", ".self_attn.rotary_emb."},
    {"blk.", "model.layers."},
}};

std::string llama_name(std::string name) {
  const bool in_block = name.starts_with("blk.");
  for (const Pair& p : kLlamaNames) {
    // The first three are whole modules outside of the blocks.
    const bool outer = p.from.front() != '.' && p.from != "blk.";
    if (outer ? !in_block && name.starts_with(p.from) : in_block) {
      if (replace(name, p) && outer) break;
    }
  }
  return name;
}

int64_t head_count(const Gguf& file, const std::string& key) {
  const GgufValue* value = file.find(key);
  if (value == nullptr || value->is_list || value->type != GgufType::kU32 ||
      value->integer() < 1) {
    throw Error(Code::kCorruptData,
                fmt::format("{}: no key {} with the number of heads",
                            file.where(),
                            printable(key)));
  }
  return value->integer();
}

SourcePtr gguf_llama(SourcePtr source) {
  const auto* file = dynamic_cast<const Gguf*>(source.get());
  const GgufValue* kind =
      file == nullptr ? nullptr : file->find("general.architecture");
  if (kind == nullptr || kind->type != GgufType::kString || kind->is_list ||
      kind->text() != "llama") {
    throw Error(Code::kInvalidArgument,
                source->where() +
                    ": gguf-llama is for GGUF files whose "
                    "general.architecture is llama");
  }
  const int64_t q_heads = head_count(*file, "llama.attention.head_count");
  const int64_t k_heads =
      file->find("llama.attention.head_count_kv") == nullptr
          ? q_heads
          : head_count(*file, "llama.attention.head_count_kv");
  std::vector<Renamed> names;
  for (size_t i = 0; i < source->tensors().size(); ++i) {
    const TensorInfo& t = source->tensors()[i];
    Renamed r{.source = i, .name = llama_name(t.name)};
    const bool q = t.name.find(".attn_q.") != std::string::npos;
    const bool k = t.name.find(".attn_k.") != std::string::npos;
    if (q || k) {
      r.change = Change::kRotaryHalves;
      r.heads = q ? q_heads : k_heads;
      if (t.shape[0] % (2 * r.heads) != 0) {
        throw Error(Code::kCorruptData,
                    fmt::format("{}: {} {} for {} heads",
                                source->where(),
                                printable(t.name),
                                t.shape.str(),
                                r.heads));
      }
    }
    names.push_back(std::move(r));
  }
  return std::make_shared<RenamedSource>(source, std::move(names));
}

SourcePtr modules(SourcePtr source) {
  auto model = std::dynamic_pointer_cast<const Onnx>(source);
  if (model == nullptr) {
    throw Error(Code::kInvalidArgument,
                source->where() + ": onnx-modules is for ONNX files");
  }
  return onnx_modules(std::move(model));
}

SourcePtr same(SourcePtr source) {
  return source;
}

struct Map {
  std::string_view name;
  SourcePtr (*apply)(SourcePtr);
};

constexpr std::array<Map, 5> kMaps = {{{"bert-tf", bert_tf},
                                       {"bert-legacy", bert_legacy},
                                       {"gguf-llama", gguf_llama},
                                       {"onnx-modules", modules},
                                       {"none", same}}};

}  // namespace

SourcePtr with_weight_names(SourcePtr source, const std::string& map) {
  for (const Map& m : kMaps) {
    if (m.name == map) return m.apply(std::move(source));
  }
  throw Error(Code::kNotFound,
              fmt::format("no weight map \"{}\"", printable(map)),
              fmt::format("there are {}", fmt::join(weight_map_names(), ", ")));
}

std::string default_weight_map(const TensorSource& source) {
  if (source.format() == "tensorflow") {
    for (const TensorInfo& t : source.tensors()) {
      if (t.name.starts_with("bert/") || t.name.starts_with("electra/")) {
        return "bert-tf";
      }
    }
  }
  if (source.format() == "onnx") {
    for (const TensorInfo& t : source.tensors()) {
      if (t.name.ends_with("_quantized") ||
          t.name.find("MatMul_") != std::string::npos) {
        return "onnx-modules";
      }
    }
  }
  return "none";
}

std::vector<std::string> weight_map_names() {
  std::vector<std::string> out;
  for (const Map& m : kMaps) out.emplace_back(m.name);
  return out;
}

}  // namespace kexue::io
