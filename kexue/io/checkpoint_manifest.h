// Private to io: manifest.json of a checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/file_system.h"

namespace kexue::io::detail {

inline constexpr const char* kStateFile = "state.safetensors";
inline constexpr const char* kProgressFile = "progress.json";
inline constexpr const char* kManifestFile = "manifest.json";
inline constexpr int64_t kCheckpointFormat = 1;

struct ManifestEntry {
  std::string name;
  uint64_t bytes = 0;
  std::string xxh3_128;
};

struct Manifest {
  int64_t step = 0;
  std::string config_hash;
  std::string fingerprint;
  std::optional<double> score;
  std::vector<ManifestEntry> files;
};

std::string to_json(const Manifest& manifest);
// Errors: kCorruptData, kUnsupported; `where` is the file's path.
Manifest parse_manifest(std::string_view text, const std::string& where);

// The manifest of a checkpoint whose files it describes byte for byte.
// Errors: as read_checkpoint.
Manifest verified_manifest(const std::string& folder, FileSystem& fs);

}  // namespace kexue::io::detail
