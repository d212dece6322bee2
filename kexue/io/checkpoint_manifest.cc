#include "kexue/io/checkpoint_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "kexue/base/error.h"
#include "kexue/io/json.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"

namespace kexue::io::detail {
namespace {

using nlohmann::json;

constexpr int64_t kLargestStep = 9'999'999'999;

// One object of the manifest: every key is read exactly once.
class Object final {
 public:
  Object(const json& object, const std::string& where, std::string name)
      : where_(where), name_(std::move(name)), object_(object) {
    if (!object.is_object()) fail("wanted an object");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Code::kCorruptData,
                fmt::format("{}: {}: {}", where_, name_, what));
  }

  const json& value(const char* key) {
    const auto it = object_.find(key);
    if (it == object_.end()) fail(fmt::format("no \"{}\"", key));
    seen_.insert(key);
    return *it;
  }
  std::string text(const char* key) {
    const json& v = value(key);
    if (!v.is_string()) fail(fmt::format("\"{}\" must be text", key));
    return v.get<std::string>();
  }
  uint64_t count(const char* key, uint64_t most) {
    const json& v = value(key);
    if (!v.is_number_unsigned() || v.get<uint64_t>() > most) {
      fail(fmt::format("\"{}\" must be an integer in 0..{}", key, most));
    }
    return v.get<uint64_t>();
  }
  std::optional<double> number_or_null(const char* key) {
    const json& v = value(key);
    if (v.is_null()) return std::nullopt;
    if (!v.is_number()) fail(fmt::format("\"{}\" must be a number", key));
    return v.get<double>();
  }
  void refuse_others() const {
    for (const auto& [key, unused] : object_.items()) {
      if (!seen_.contains(key)) {
        fail(fmt::format("unknown key \"{}\"", printable(key.substr(0, 64))));
      }
    }
  }

 private:
  const std::string& where_;
  std::string name_;
  const json& object_;
  std::set<std::string> seen_;
};

bool is_hash(const std::string& text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

ManifestEntry entry_of(const json& item, const std::string& where) {
  Object object(item, where, "a file");
  ManifestEntry out{.name = object.text("name"),
                    .bytes = object.count("bytes", uint64_t{1} << 62),
                    .xxh3_128 = object.text("xxh3_128")};
  object.refuse_others();
  // A name from a file is no path: only the two that are written are known.
  if (out.name != kStateFile && out.name != kProgressFile) {
    object.fail(fmt::format("name \"{}\", wanted {} or {}",
                            printable(out.name.substr(0, 64)),
                            kStateFile,
                            kProgressFile));
  }
  if (!is_hash(out.xxh3_128)) {
    object.fail("\"xxh3_128\" must be 32 hexadecimal digits");
  }
  return out;
}

template <class T>
std::string json_text(const T& value) {
  return json(value).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

// Without a tree: taking one down needs memory, and saving may be short of it.
std::string to_json(const Manifest& m) {
  std::string files;
  for (const auto& f : m.files) {
    files +=
        fmt::format("{}\n    {{\"name\": {}, \"bytes\": {}, \"xxh3_128\": {}}}",
                    files.empty() ? "" : ",",
                    json_text(f.name),
                    f.bytes,
                    json_text(f.xxh3_128));
  }
  const bool scored = m.score && std::isfinite(*m.score);
  return fmt::format(
      "{{\n  \"format\": {},\n  \"step\": {},\n  \"config_hash\": {},\n"
      "  \"fingerprint\": {},\n  \"score\": {},\n  \"files\": [{}\n  ]\n}}\n",
      kCheckpointFormat,
      m.step,
      json_text(m.config_hash),
      json_text(m.fingerprint),
      scored ? json_text(*m.score) : "null",
      files);
}

Manifest parse_manifest(std::string_view text, const std::string& where) {
  const json root = parse_json(text, where);
  Object object(root, where, "manifest");
  const auto format = object.count("format", UINT64_MAX);
  if (format != static_cast<uint64_t>(kCheckpointFormat)) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: format {}, this version knows {}",
                            where,
                            format,
                            kCheckpointFormat),
                "it was written by a newer kexue");
  }
  Manifest out;
  out.step = static_cast<int64_t>(object.count("step", kLargestStep));
  out.config_hash = object.text("config_hash");
  out.fingerprint = object.text("fingerprint");
  out.score = object.number_or_null("score");
  const json& files = object.value("files");
  object.refuse_others();
  if (!files.is_array() || files.size() != 2) {
    object.fail("\"files\" must be a list of 2");
  }
  for (const json& item : files) out.files.push_back(entry_of(item, where));
  if (out.files[0].name == out.files[1].name) {
    object.fail(fmt::format("file \"{}\" twice", out.files[0].name));
  }
  return out;
}

}  // namespace kexue::io::detail
