#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_set>

#include "kexue/base/checked.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/printable.h"
#include "kexue/io/safetensors.h"
#include "kexue/io/safetensors_header.h"
#include "kexue/io/weights_writer.h"

namespace kexue::io {
namespace {

using NamedArrays = std::vector<std::pair<std::string, HostArray>>;
using Metadata = std::map<std::string, std::string>;

std::string quoted(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw Error(Code::kInvalidArgument,
                fmt::format("safetensors: \"{}\" is not UTF-8", ascii(text)));
  }
}

// The entries of a header, with the place of each tensor.
class HeaderText final {
 public:
  explicit HeaderText(const Metadata& metadata) {
    if (metadata.empty()) return;
    std::vector<std::string> pairs;
    for (const auto& [key, value] : metadata) {
      pairs.push_back(quoted(key) + ":" + quoted(value));
    }
    parts_.push_back(
        fmt::format("\"__metadata__\":{{{}}}", fmt::join(pairs, ",")));
  }

  void add(const std::string& name, const TensorType& type) {
    if (!names_.insert(name).second) {
      throw Error(
          Code::kInvalidArgument,
          fmt::format("safetensors: name \"{}\" is taken", printable(name)));
    }
    const uint64_t end =
        checked_add(at_, static_cast<uint64_t>(type.bytes()), "safetensors");
    parts_.push_back(
        fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],"
                    "\"data_offsets\":[{},{}]}}",
                    quoted(name),
                    detail::safetensors_name(type.dtype),
                    fmt::join(type.shape.dims(), ","),
                    at_,
                    end));
    at_ = end;
  }

  uint64_t data_bytes() const { return at_; }

  // Padded to a multiple of 8.
  std::string finish() const {
    std::string text = fmt::format("{{{}}}", fmt::join(parts_, ","));
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
  }

 private:
  std::vector<std::string> parts_;
  std::unordered_set<std::string> names_ = {"__metadata__"};
  uint64_t at_ = 0;
};

// Writes the header with its length, then what `tensor(i)` gives.
void write_file_of(const std::string& path,
                   const HeaderText& header,
                   size_t count,
                   const std::function<HostArray(size_t)>& tensor,
                   FileSystem& fs) {
  const std::string text = header.finish();
  const uint64_t length = text.size();
  require_free_space(parent_folder(path), 8 + length + header.data_bytes(), fs);
  AtomicFile file(path, fs);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(text);
  for (size_t i = 0; i < count; ++i) {
    const HostArray a = tensor(i);
    file.write(std::span(a.data(), a.bytes()));
  }
  file.commit();
}

TensorType type_of(const TensorSource& source, size_t i) {
  const TensorInfo& t = source.tensors()[i];
  if (t.dtype) return {*t.dtype, t.shape};
  throw Error(Code::kUnsupported,
              fmt::format("{}: tensor {}: {} cannot be read",
                          source.where(),
                          printable(t.name),
                          t.stored));
}

void write_some(const std::string& path,
                const TensorSource& source,
                const std::vector<size_t>& tensors,
                const Metadata& metadata,
                FileSystem& fs) {
  HeaderText header(metadata);
  for (const size_t i : tensors) {
    header.add(source.tensors()[i].name, type_of(source, i));
  }
  const auto tensor = [&](size_t i) { return source.tensor(tensors[i]); };
  write_file_of(path, header, tensors.size(), tensor, fs);
}

HeaderText header_of(const NamedArrays& tensors, const Metadata& metadata) {
  HeaderText header(metadata);
  for (const auto& [name, array] : tensors) header.add(name, array.type());
  return header;
}

std::vector<std::vector<size_t>> in_shards(const TensorSource& source,
                                           uint64_t max_bytes) {
  std::vector<std::vector<size_t>> out(1);
  uint64_t bytes = 0;
  for (size_t i = 0; i < source.tensors().size(); ++i) {
    const auto size = static_cast<uint64_t>(type_of(source, i).bytes());
    if (!out.back().empty() &&
        (bytes > max_bytes || size > max_bytes - bytes)) {
      out.emplace_back();
      bytes = 0;
    }
    bytes = checked_add(bytes, size, "shard");
    out.back().push_back(i);
  }
  return out;
}

}  // namespace

std::string detail::safetensors_header_text(const NamedArrays& tensors,
                                            const Metadata& metadata) {
  return header_of(tensors, metadata).finish();
}

void save_safetensors(const std::string& path,
                      const NamedArrays& tensors,
                      const Metadata& metadata,
                      FileSystem& fs) {
  const auto tensor = [&](size_t i) { return tensors[i].second; };
  write_file_of(path, header_of(tensors, metadata), tensors.size(), tensor, fs);
}

void save_safetensors(const std::string& path,
                      const TensorSource& source,
                      const Metadata& metadata,
                      FileSystem& fs) {
  std::vector<size_t> all(source.tensors().size());
  std::iota(all.begin(), all.end(), size_t{0});
  write_some(path, source, all, metadata, fs);
}

std::vector<std::string> save_safetensors_folder(const std::string& folder,
                                                 const TensorSource& source,
                                                 uint64_t max_shard_bytes,
                                                 const Metadata& metadata,
                                                 FileSystem& fs) {
  const auto shards = in_shards(source, max_shard_bytes);
  if (shards.size() == 1) {
    const std::string name = "model.safetensors";
    write_some(folder + "/" + name, source, shards[0], metadata, fs);
    return {name};
  }
  constexpr size_t kMostShards = 99'999;
  if (shards.size() > kMostShards) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("{} shards, the limit is {}", shards.size(), kMostShards),
        "a larger --max-shard-size gives fewer");
  }
  std::vector<std::string> names;
  auto map = nlohmann::ordered_json::object();
  uint64_t total = 0;
  for (size_t s = 0; s < shards.size(); ++s) {
    names.push_back(
        fmt::format("model-{:05}-of-{:05}.safetensors", s + 1, shards.size()));
    write_some(folder + "/" + names[s], source, shards[s], metadata, fs);
    for (const size_t i : shards[s]) {
      map[source.tensors()[i].name] = names[s];
      total += static_cast<uint64_t>(type_of(source, i).bytes());
    }
  }
  nlohmann::ordered_json document;
  document["metadata"]["total_size"] = total;
  document["weight_map"] = std::move(map);
  names.emplace_back("model.safetensors.index.json");
  write_file(folder + "/" + names.back(), document.dump(2) + "\n", fs);
  return names;
}

}  // namespace kexue::io
