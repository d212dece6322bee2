#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "kexue/base/checked.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/printable.h"
#include "kexue/io/safetensors.h"
#include "kexue/io/safetensors_header.h"

namespace kexue::io {
namespace {

using NamedArrays = std::vector<std::pair<std::string, HostArray>>;

std::string quoted(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw Error(Code::kInvalidArgument,
                fmt::format("safetensors: \"{}\" is not UTF-8", ascii(text)));
  }
}

}  // namespace

std::string detail::safetensors_header_text(
    const NamedArrays& tensors,
    const std::map<std::string, std::string>& metadata) {
  std::vector<std::string> parts;
  if (!metadata.empty()) {
    std::vector<std::string> pairs;
    for (const auto& [key, value] : metadata) {
      pairs.push_back(quoted(key) + ":" + quoted(value));
    }
    parts.push_back(
        fmt::format("\"__metadata__\":{{{}}}", fmt::join(pairs, ",")));
  }
  std::unordered_set<std::string> names = {"__metadata__"};
  uint64_t at = 0;
  for (const auto& [name, array] : tensors) {
    if (!names.insert(name).second) {
      throw Error(
          Code::kInvalidArgument,
          fmt::format("safetensors: name \"{}\" is taken", printable(name)));
    }
    const uint64_t end = checked_add(at, array.bytes(), "safetensors");
    parts.push_back(
        fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],"
                    "\"data_offsets\":[{},{}]}}",
                    quoted(name),
                    safetensors_name(array.dtype()),
                    fmt::join(array.shape().dims(), ","),
                    at,
                    end));
    at = end;
  }
  std::string text = fmt::format("{{{}}}", fmt::join(parts, ","));
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

void save_safetensors(const std::string& path,
                      const NamedArrays& tensors,
                      const std::map<std::string, std::string>& metadata,
                      FileSystem& fs) {
  const std::string header = detail::safetensors_header_text(tensors, metadata);
  uint64_t total = 8 + header.size();
  for (const auto& [name, array] : tensors) total += array.bytes();
  require_free_space(parent_folder(path), total, fs);

  AtomicFile file(path, fs);
  const uint64_t length = header.size();
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(header);
  for (const auto& [name, array] : tensors) {
    file.write(std::span(array.data(), array.bytes()));
  }
  file.commit();
}

}  // namespace kexue::io
