// Where BPE models come from: tokenizer.json, or a vocabulary and its merges.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/json.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"
#include "kexue/text/bpe.h"

namespace kexue::text {
namespace {

using nlohmann::json;
using Vocabulary = std::vector<std::pair<std::string, int32_t>>;
using Merges = std::vector<std::pair<std::string, std::string>>;

[[noreturn]] void corrupt(const std::string& where, const std::string& what) {
  throw Error(Code::kCorruptData, where + ": " + what);
}
[[noreturn]] void unknown(const std::string& where, const std::string& what) {
  throw Error(Code::kUnsupported,
              where + ": " + what,
              "byte-level BPE with GPT-2's pattern is known");
}

int32_t read_id(const json& value, const std::string& where) {
  if (!value.is_number_unsigned() ||
      value.get<uint64_t>() > uint64_t{io::limits::kTokenId}) {
    corrupt(where, "an id that is not in 0..2^24-1");
  }
  return static_cast<int32_t>(value.get<int64_t>());
}

Vocabulary read_vocabulary(const json& object, const std::string& where) {
  if (!object.is_object()) corrupt(where, "the vocabulary is no object");
  Vocabulary out;
  for (const auto& [token, id] : object.items()) {
    out.emplace_back(token,
                     read_id(id, where + ": \"" + io::printable(token) + "\""));
  }
  return out;
}

std::pair<std::string, std::string> read_merge(std::string_view line,
                                               const std::string& where) {
  const size_t space = line.find(' ');
  if (space == 0 || space == std::string_view::npos ||
      space + 1 == line.size() ||
      line.find(' ', space + 1) != std::string_view::npos) {
    corrupt(where, "\"" + io::printable(line) + "\" is no two tokens");
  }
  return {std::string(line.substr(0, space)),
          std::string(line.substr(space + 1))};
}

Merges read_merges_file(const std::string& path, io::FileSystem& fs) {
  const std::string content = io::read_file(path, io::limits::kVocabBytes, fs);
  Merges out;
  std::string_view rest = content;
  for (int64_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    out.push_back(read_merge(line, fmt::format("{}:{}", path, number)));
  }
  return out;
}

Merges read_merges(const json& list, const std::string& where) {
  if (!list.is_array()) corrupt(where, "merges is no list");
  Merges out;
  for (const json& item : list) {
    const std::string at = fmt::format("{}: merge {}", where, out.size() + 1);
    if (item.is_string()) {
      out.push_back(read_merge(item.get_ref<const std::string&>(), at));
    } else if (item.is_array() && item.size() == 2 && item[0].is_string() &&
               item[1].is_string()) {
      out.emplace_back(item[0], item[1]);
    } else {
      corrupt(at, "no two tokens");
    }
  }
  return out;
}

// The member, or null.
const json& member(const json& object, const char* key) {
  static const json none;
  return object.is_object() && object.contains(key) ? object[key] : none;
}

bool flag(const json& object, const char* key, bool fallback) {
  const json& value = member(object, key);
  return value.is_boolean() ? value.get<bool>() : fallback;
}

std::string type_of(const json& object) {
  const json& type = member(object, "type");
  return type.is_string() ? type.get<std::string>() : "";
}

void read_pre_tokenizer(const json& value,
                        Bpe::Options& options,
                        const std::string& where) {
  const std::string type = type_of(value);
  if (type == "Sequence" && member(value, "pretokenizers").is_array()) {
    const json& list = member(value, "pretokenizers");
    if (list.size() == 2 && type_of(list[0]) == "Digits" &&
        flag(list[0], "individual_digits", false)) {
      options.single_digits = true;
      read_pre_tokenizer(list[1], options, where);
      return;
    }
    if (list.size() == 1) return read_pre_tokenizer(list[0], options, where);
  }
  if (type != "ByteLevel") {
    unknown(where, "pre_tokenizer \"" + io::printable(type) + "\"");
  }
  if (flag(value, "add_prefix_space", true)) {
    unknown(where, "a pre_tokenizer with add_prefix_space");
  }
  if (!flag(value, "use_regex", true)) {
    unknown(where, "a pre_tokenizer without its pattern");
  }
}

void read_added(const json& list,
                Bpe::Options& options,
                const std::string& where) {
  if (list.is_null()) return;
  if (!list.is_array()) corrupt(where, "added_tokens is no list");
  for (const json& item : list) {
    const json& content = member(item, "content");
    if (!content.is_string() || content.get_ref<const std::string&>().empty()) {
      corrupt(where, "an added token without content");
    }
    const auto text = content.get<std::string>();
    for (const char* key : {"single_word", "lstrip", "rstrip"}) {
      if (flag(item, key, false)) {
        unknown(where,
                "added token \"" + io::printable(text) + "\" with " + key);
      }
    }
    options.added.emplace_back(
        text, read_id(member(item, "id"), where + ": added token"));
  }
}

void check_model(const json& model, const std::string& where) {
  const std::string type = type_of(model);
  if (!type.empty() && type != "BPE") {
    unknown(where, "model \"" + io::printable(type) + "\"");
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const json& value = member(model, key);
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) {
      unknown(where, std::string("a model with ") + key);
    }
  }
  for (const char* key : {"byte_fallback", "ignore_merges"}) {
    if (flag(model, key, false)) {
      unknown(where, std::string("a model with ") + key);
    }
  }
}

bool exists(const std::string& path, io::FileSystem& fs) {
  try {
    io::open_for_reading(path, fs);
    return true;
  } catch (const Error& e) {
    if (e.code() != Code::kNotFound) throw;
    return false;
  }
}

}  // namespace

Bpe Bpe::from_files(const std::string& vocabulary,
                    const std::string& merges,
                    io::FileSystem& fs) {
  const auto json = io::parse_json_file(vocabulary, {}, fs);
  Options options;
  // The end of text is a token of GPT-2's files, but not made by merges.
  const std::string end = "<|endoftext|>";
  if (json.is_object() && json.contains(end)) {
    options.added.emplace_back(end, read_id(json[end], vocabulary));
  }
  return Bpe(read_vocabulary(json, vocabulary),
             read_merges_file(merges, fs),
             options,
             vocabulary);
}

Bpe Bpe::from_tokenizer_json(const std::string& path, io::FileSystem& fs) {
  const auto json = io::parse_json_file(path, {}, fs);
  const auto& model = member(json, "model");
  if (!model.is_object()) corrupt(path, "no model");
  check_model(model, path);
  if (!member(json, "normalizer").is_null()) {
    unknown(path,
            "normalizer \"" +
                io::printable(type_of(member(json, "normalizer"))) + "\"");
  }
  Options options;
  read_pre_tokenizer(member(json, "pre_tokenizer"), options, path);
  read_added(member(json, "added_tokens"), options, path);
  return Bpe(read_vocabulary(member(model, "vocab"), path),
             read_merges(member(model, "merges"), path),
             options,
             path);
}

Bpe Bpe::from_directory(const std::string& folder, io::FileSystem& fs) {
  const std::string json = folder + "/tokenizer.json";
  if (exists(json, fs)) return from_tokenizer_json(json, fs);
  for (const auto& [vocabulary, merges] :
       {std::pair("/vocab.json", "/merges.txt"),
        std::pair("/gpt2_encoder.json", "/gpt2_vocab.bpe")}) {
    if (exists(folder + vocabulary, fs)) {
      return from_files(folder + vocabulary, folder + merges, fs);
    }
  }
  throw Error(Code::kNotFound,
              folder +
                  ": neither tokenizer.json nor vocab.json nor "
                  "gpt2_encoder.json is there");
}

}  // namespace kexue::text
