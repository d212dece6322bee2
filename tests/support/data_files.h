// Models and data that tests may use when they have been fetched.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace kexue::testing {

// <cache>/data/<name>, where the cache is $KEXUE_CACHE or .cache/kexue in the
// project's folder.
inline std::string data_path(const std::string& name) {
  const char* cache = std::getenv("KEXUE_CACHE");
  const std::string root = cache != nullptr && *cache != '\0'
                               ? std::string(cache)
                               : std::string(KEXUE_SOURCE_DIR "/.cache/kexue");
  return root + "/data/" + name;
}

inline std::string golden_path(const std::string& name) {
  return std::string(KEXUE_SOURCE_DIR "/tests/golden/") + name;
}

}  // namespace kexue::testing

// In a test body: skips with the missing path, and how to get it.
#define KEXUE_SKIP_WITHOUT(path)                                              \
  if (!std::filesystem::exists(path)) {                                       \
    GTEST_SKIP() << (path) << " is absent: run ./dev demo, which fetches it"; \
  }
