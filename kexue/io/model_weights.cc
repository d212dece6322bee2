#include "kexue/io/model_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>
#include <utility>

#include "kexue/io/json.h"
#include "kexue/io/printable.h"
#include "kexue/io/safetensors_header.h"

namespace kexue::io {
namespace {

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

bool has_pickle_name(std::string_view path) {
  for (const std::string_view end : {".bin", ".pt", ".pth", ".ckpt", ".pkl"}) {
    if (path.size() > end.size() && path.ends_with(end)) return true;
  }
  return false;
}

// tensor name -> shard file name, checked.
std::map<std::string, std::string> read_index(const std::string& path,
                                              FileSystem& fs) {
  const auto index =
      parse_json_file(path, {.max_bytes = limits::kShardIndexBytes}, fs);
  const auto wrong = [&](const std::string& text) {
    return Error(Code::kCorruptData, path + ": " + text);
  };
  if (!index.is_object() || !index.contains("weight_map") ||
      !index["weight_map"].is_object()) {
    throw wrong("no object \"weight_map\"");
  }
  std::map<std::string, std::string> out;
  for (const auto& [name, file] : index["weight_map"].items()) {
    if (!file.is_string()) {
      throw wrong(fmt::format("tensor {}: not a file name", printable(name)));
    }
    auto text = file.get<std::string>();
    if (!is_safe_file_name(text)) {
      throw wrong(fmt::format("tensor {}: \"{}\" is no plain file name",
                              printable(name),
                              printable(text)));
    }
    out.emplace(name, std::move(text));
  }
  if (out.empty()) throw wrong("\"weight_map\" is empty");
  return out;
}

ModelWeights open_shards(const std::string& folder,
                         Safetensors::Options options,
                         FileSystem& fs) {
  const std::string path = folder + "/" + kIndex;
  const auto index = read_index(path, fs);
  std::set<std::string> files;
  for (const auto& [name, file] : index) files.insert(file);

  std::vector<Safetensors> shards;
  size_t tensors = 0;
  for (const auto& file : files) {
    shards.push_back(Safetensors::open(folder + "/" + file, options, fs));
    for (const auto& e : shards.back().entries()) {
      const auto it = index.find(e.name);
      if (it == index.end() || it->second != file) {
        throw Error(Code::kCorruptData,
                    fmt::format("{}: tensor {} is in {}, the index says {}",
                                path,
                                printable(e.name),
                                file,
                                it == index.end() ? "nothing" : it->second));
      }
      ++tensors;
    }
  }
  if (tensors != index.size()) {
    for (const auto& [name, file] : index) {
      const auto has = [&name](const Safetensors& s) {
        return s.contains(name);
      };
      if (std::none_of(shards.begin(), shards.end(), has)) {
        throw Error(
            Code::kCorruptData,
            fmt::format(
                "{}: tensor {} is not in {}", path, printable(name), file));
      }
    }
  }
  return ModelWeights(std::move(shards));
}

}  // namespace

ModelWeights::ModelWeights(std::vector<Safetensors> shards)
    : shards_(std::move(shards)) {
  if (shards_.empty()) {
    throw Error(Code::kInvalidArgument, "model weights: no files");
  }
}

std::vector<std::string> ModelWeights::names() const {
  std::vector<std::string> out;
  for (const auto& s : shards_) {
    for (const auto& e : s.entries()) out.push_back(e.name);
  }
  return out;
}

bool ModelWeights::contains(std::string_view name) const {
  return std::any_of(shards_.begin(), shards_.end(), [&](const auto& s) {
    return s.contains(name);
  });
}

const Safetensors& ModelWeights::shard(std::string_view name) const {
  for (const auto& s : shards_) {
    if (s.contains(name)) return s;
  }
  return shards_.front();  // whose entry() says what is missing
}

TensorType ModelWeights::type(std::string_view name) const {
  return shard(name).type(name);
}

HostArray ModelWeights::tensor(std::string_view name) const {
  return shard(name).tensor(name);
}

ModelWeights open_model_weights(const std::string& path,
                                Safetensors::Options options,
                                FileSystem& fs) {
  FileInfo info;
  {
    const Descriptor d = open_for_reading(path, fs);
    if (const int rc = fs.info(d.get(), &info); rc < 0) {
      throw os_error("stat", path, rc);
    }
  }
  if (!info.is_directory) {
    if (has_pickle_name(path)) detail::refuse_pickle(path);
    return ModelWeights({Safetensors::open(path, options, fs)});
  }
  std::vector<std::string> names;
  if (const int rc = fs.list(path, &names); rc < 0) {
    throw os_error("list", path, rc);
  }
  const auto has = [&names](std::string_view name) {
    return std::binary_search(names.begin(), names.end(), name);
  };
  if (has(kSingle)) {
    return ModelWeights({Safetensors::open(path + "/" + kSingle, options, fs)});
  }
  if (has(kIndex)) return open_shards(path, options, fs);
  for (const auto& name : names) {
    if (has_pickle_name(name)) detail::refuse_pickle(path + "/" + name);
  }
  throw Error(
      Code::kNotFound,
      fmt::format("{}: neither {} nor {} there", path, kSingle, kIndex));
}

bool is_safe_file_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace kexue::io
