// Where WordPiece models come from: vocab.txt, tokenizer.json, folders.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kexue/base/error.h"
#include "kexue/io/json.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/text/wordpiece.h"

namespace kexue::text {
namespace {

using nlohmann::json;

// Typed access to one JSON object, with the path in every error.
class Fields final {
 public:
  Fields(const json& object, std::string where)
      : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) throw wrong("not an object");
  }

  Error wrong(const std::string& text, Code code = Code::kCorruptData) const {
    return Error(code, where_ + ": " + text);
  }
  // nullptr when absent or null.
  const json* find(const char* key) const {
    const auto it = object_.find(key);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }
  Fields object(const char* key) const {
    const json* j = find(key);
    if (j == nullptr) throw wrong(fmt::format("no \"{}\"", key));
    return element(*j, key);
  }
  Fields element(const json& part, const char* name) const {
    return Fields(part, where_ + ": " + name);
  }
  bool flag(const char* key, bool fallback) const {
    const json* j = find(key);
    if (j == nullptr) return fallback;
    if (!j->is_boolean()) throw wrong(fmt::format("{} is no boolean", key));
    return j->get<bool>();
  }
  std::string text(const char* key, const std::string& fallback) const {
    const json* j = find(key);
    if (j == nullptr) return fallback;
    if (!j->is_string()) throw wrong(fmt::format("{} is no text", key));
    return j->get<std::string>();
  }
  int64_t count(const char* key, int64_t fallback) const {
    const json* j = find(key);
    return j == nullptr ? fallback : as_id(*j, key);
  }
  // Unsigned and at most 2^24-1, which every number here must be.
  int64_t as_id(const json& j, const std::string& what) const {
    if (!j.is_number_unsigned() ||
        j.get<uint64_t>() > uint64_t{io::limits::kTokenId}) {
      throw wrong(fmt::format(
          "{}: {} is not in 0..2^24-1",
          io::printable(what),
          j.is_primitive() ? io::printable(j.dump()) : j.type_name()));
    }
    return j.get<int64_t>();
  }
  const json& raw() const { return object_; }

 private:
  const json& object_;
  std::string where_;
};

void require_type(const Fields& parent, const char* key, const char* want) {
  const auto type = parent.object(key).text("type", "");
  if (type != want) {
    throw parent.wrong(fmt::format("{} of type \"{}\", only {} is known",
                                   key,
                                   io::printable(type),
                                   want),
                       Code::kUnsupported);
  }
}

void read_normalizer(const Fields& top, WordPieceOptions& options) {
  if (top.find("normalizer") == nullptr) {
    options.clean_text = options.handle_chinese_chars = false;
    options.lowercase = false;
    return;
  }
  require_type(top, "normalizer", "BertNormalizer");
  const Fields n = top.object("normalizer");
  options.clean_text = n.flag("clean_text", true);
  options.handle_chinese_chars = n.flag("handle_chinese_chars", true);
  options.lowercase = n.flag("lowercase", true);
  if (n.find("strip_accents") != nullptr) {
    options.strip_accents = n.flag("strip_accents", false);
  }
}

std::vector<Vocabulary::Entry> read_vocab(const Fields& model) {
  const Fields vocab = model.object("vocab");
  std::vector<Vocabulary::Entry> out;
  out.reserve(vocab.raw().size());
  for (const auto& [token, id] : vocab.raw().items()) {
    out.emplace_back(static_cast<int32_t>(vocab.as_id(id, token)), token);
  }
  return out;
}

// Adds tokens that the vocabulary lacks to `entries`.
std::vector<WordPiece::AddedToken> read_added(
    const Fields& top, std::vector<Vocabulary::Entry>& entries) {
  std::vector<WordPiece::AddedToken> out;
  const json* list = top.find("added_tokens");
  if (list == nullptr) return out;
  if (!list->is_array()) throw top.wrong("added_tokens is no list");
  if (list->size() > io::limits::kAddedTokens) {
    throw top.wrong(fmt::format("{} added tokens, the limit is {}",
                                list->size(),
                                io::limits::kAddedTokens),
                    Code::kUnsupported);
  }
  std::sort(entries.begin(), entries.end());
  const size_t known = entries.size();
  for (const json& item : *list) {
    const Fields f = top.element(item, "added_tokens");
    WordPiece::AddedToken token;
    token.content = f.text("content", "");
    token.id = static_cast<int32_t>(f.count("id", 0));
    if (f.find("id") == nullptr) throw top.wrong("an added token without id");
    for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized"}) {
      if (f.flag(flag, false)) {
        throw top.wrong(fmt::format("added token \"{}\" with {}: only plain "
                                    "ones are known",
                                    io::printable(token.content),
                                    flag),
                        Code::kUnsupported);
      }
    }
    const Vocabulary::Entry entry{token.id, token.content};
    const auto end = entries.begin() + static_cast<std::ptrdiff_t>(known);
    // A clash of ids or contents shows up when the vocabulary is built.
    if (!std::binary_search(entries.begin(), end, entry)) {
      entries.push_back(entry);
    }
    out.push_back(std::move(token));
  }
  return out;
}

// "unk_token": "[UNK]" or {"content": "[UNK]", ...}.
std::string token_name(const Fields& config,
                       const char* key,
                       const std::string& fallback) {
  const json* j = config.find(key);
  if (j != nullptr && j->is_object()) {
    return config.object(key).text("content", fallback);
  }
  return config.text(key, fallback);
}

WordPieceOptions read_tokenizer_config(const std::string& path,
                                       io::FileSystem& fs) {
  const json root = io::parse_json_file(path, {}, fs);
  const Fields config(root, path);
  WordPieceOptions o;
  o.lowercase = config.flag("do_lower_case", true);
  o.handle_chinese_chars = config.flag("tokenize_chinese_chars", true);
  if (config.find("strip_accents") != nullptr) {
    o.strip_accents = config.flag("strip_accents", false);
  }
  o.unk = token_name(config, "unk_token", o.unk);
  o.cls = token_name(config, "cls_token", o.cls);
  o.sep = token_name(config, "sep_token", o.sep);
  o.pad = token_name(config, "pad_token", o.pad);
  o.mask = token_name(config, "mask_token", o.mask);
  return o;
}

}  // namespace

WordPiece WordPiece::from_vocab_file(const std::string& path,
                                     WordPieceOptions options,
                                     io::FileSystem& fs) {
  return WordPiece(
      Vocabulary::from_file(path, "##", fs), std::move(options), {}, path);
}

WordPiece WordPiece::from_tokenizer_json(const std::string& path,
                                         io::FileSystem& fs) {
  const json root = io::parse_json_file(path, {}, fs);
  const Fields top(root, path);
  require_type(top, "model", "WordPiece");
  require_type(top, "pre_tokenizer", "BertPreTokenizer");
  WordPieceOptions options;
  read_normalizer(top, options);
  const Fields model = top.object("model");
  options.unk = model.text("unk_token", options.unk);
  options.max_chars_per_word = model.count("max_input_chars_per_word", 100);
  auto entries = read_vocab(model);
  auto added = read_added(top, entries);
  Vocabulary vocabulary(
      std::move(entries), model.text("continuing_subword_prefix", "##"), path);
  return WordPiece(
      std::move(vocabulary), std::move(options), std::move(added), path);
}

WordPiece WordPiece::from_directory(const std::string& folder,
                                    io::FileSystem& fs) {
  std::vector<std::string> names;
  if (const int rc = fs.list(folder, &names); rc < 0) {
    throw io::os_error("list", folder, rc);
  }
  const auto has = [&names](const char* name) {
    return std::binary_search(names.begin(), names.end(), name);
  };
  if (has("tokenizer.json")) {
    return from_tokenizer_json(folder + "/tokenizer.json", fs);
  }
  if (!has("vocab.txt")) {
    throw Error(Code::kNotFound,
                folder + ": neither tokenizer.json nor vocab.txt there");
  }
  WordPieceOptions options;
  if (has("tokenizer_config.json")) {
    options = read_tokenizer_config(folder + "/tokenizer_config.json", fs);
  }
  return from_vocab_file(folder + "/vocab.txt", std::move(options), fs);
}

}  // namespace kexue::text
