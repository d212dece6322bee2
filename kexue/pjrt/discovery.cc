#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "kexue/base/error.h"
#include "kexue/pjrt/plugin.h"

namespace kexue::pjrt {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHint = "./dev setup installs one; or --plugin PATH";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path absolute(const std::string& path) {
  return fs::absolute(path).lexically_normal();
}

// A path that the user gave: it is this one or an error.
fs::path given(const std::string& path, const char* source) {
  const fs::path full = absolute(path);
  std::error_code ignored;
  if (!fs::exists(full, ignored)) {
    throw Error(Code::kNotFound,
                fmt::format("plugin {} ({}) does not exist; looked only there",
                            full.string(),
                            source),
                kHint);
  }
  if (!fs::is_regular_file(full, ignored)) {
    throw Error(
        Code::kNotFound,
        fmt::format("plugin {} ({}) is not a file", full.string(), source),
        kHint);
  }
  return full;
}

// The first *.so of a folder by name; empty if there is none.
fs::path first_plugin(const fs::path& folder) {
  std::error_code error;
  fs::path best;
  for (fs::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (it->path().extension() != ".so" || !it->is_regular_file(ignored)) {
      continue;
    }
    if (best.empty() || it->path() < best) best = it->path();
  }
  return best;
}

std::vector<fs::path> folders() {
  std::vector<fs::path> out;
  const std::string cache = environment("KEXUE_CACHE");
  out.push_back(absolute(cache.empty() ? ".cache/kexue" : cache) / "plugin");
  const std::string home = environment("HOME");
  if (!home.empty()) out.push_back(absolute(home) / ".cache/kexue/plugin");
  out.emplace_back("/usr/lib/kexue");
  out.emplace_back("/usr/local/lib/kexue");
  return out;
}

}  // namespace

fs::path find_plugin(const std::string& option) {
  if (!option.empty()) return given(option, "the plugin option");
  const std::string named = environment("KEXUE_PLUGIN");
  if (!named.empty()) return given(named, "environment variable KEXUE_PLUGIN");
  std::string looked;
  for (const auto& folder : folders()) {
    fs::path found = first_plugin(folder);
    if (!found.empty()) return found;
    looked += fmt::format("\n  {}/*.so", folder.string());
  }
  throw Error(
      Code::kNotFound,
      "no PJRT plugin: KEXUE_PLUGIN is not set, and there is none in" + looked,
      kHint);
}

}  // namespace kexue::pjrt
