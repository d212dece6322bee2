// A PJRT plugin: the shared library that compiles and runs our programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace kexue::pjrt {

namespace detail {
struct PluginState;
}  // namespace detail

// The plugin to use, as an absolute path. First match of:
//   1. `option` (a --plugin flag), if not empty;
//   2. the environment variable KEXUE_PLUGIN;
//   3. $KEXUE_CACHE/plugin/*.so, or ./.cache/kexue/plugin/*.so without it;
//   4. ~/.cache/kexue/plugin/*.so;
//   5. /usr/lib/kexue/*.so, /usr/local/lib/kexue/*.so.
// Of several files in one folder the first by name is taken.
// Errors: kNotFound with every place looked at; a path given by 1 or 2 that is
//         not a file is an error too, never a reason to go on.
std::filesystem::path find_plugin(const std::string& option = "");

// What plugins and clients are described and configured with.
using NamedValue =
    std::variant<std::string, int64_t, std::vector<int64_t>, float, bool>;
struct Attribute {
  std::string name;
  NamedValue value;
};

// "1.20.0", "[0,81]", "true", ...
std::string to_string(const NamedValue& value);

struct ApiVersion {
  int major = 0;
  int minor = 0;
  bool operator==(const ApiVersion&) const = default;
};

// The oldest plugin API that is accepted: the oldest the tests have run.
inline constexpr ApiVersion kOldestApi = {0, 81};

// A handle to an opened plugin; copies are the same plugin. A plugin stays open
// until the process ends (its threads cannot be unloaded), and loading a file
// twice gives the same plugin. Thread-safe.
class Plugin final {
 public:
  // Opens and initialises the plugin. Sets TF_CPP_MIN_LOG_LEVEL=3 in the
  // environment unless it is set already: plugins log to stderr without it.
  //
  // The file runs with all our rights: it and its folder must belong to this
  // user or root, and others must not be able to write to them.
  //
  // Errors: kNotFound (no such file), kInvalidArgument (ownership, above),
  //         kUnsupported (not a shared library, no GetPjrtApi, an API older
  //         than kOldestApi, another major version, a missing function),
  //         kDevice (its own initialisation failed).
  static Plugin load(const std::filesystem::path& path);

  const std::filesystem::path& path() const;
  ApiVersion api_version() const;
  // As the plugin reports them: xla_version, stablehlo_current_version, ...
  const std::vector<Attribute>& attributes() const;
  // Whether register_ffi() works with it: it has the extension, and API >=
  // 0.106.
  bool has_ffi() const;

  // XXH3-128 of the whole file, the part of cache keys that names the
  // compiler. Reading 200 MB takes 30 ms to 1 s, so the result is kept in
  // `cache_folder` together with path, size, inode, mtime and ctime, and read
  // from there as long as all of them agree; an empty path keeps nothing.
  // A hash of size, mtime and both ends alone is not enough: two builds may
  // share all of these and differ in the middle.
  // Errors: kIo if the file changed since it was loaded, or cannot be read.
  std::string fingerprint(const std::filesystem::path& cache_folder = {}) const;

  detail::PluginState* state() const { return state_; }

 private:
  explicit Plugin(detail::PluginState* state) : state_(state) {}

  detail::PluginState* state_;
};

}  // namespace kexue::pjrt
