// Compiled programs on disk.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace kexue::runtime {

// $KEXUE_CACHE; else ./.cache/kexue if it exists; else ~/.cache/kexue.
std::filesystem::path cache_root();

// A folder of entries, one file a key. An entry is a header (magic, key,
// length, XXH3-128) and the payload; anything that does not match is deleted
// and compiled again. Writing never fails a run: a full disk only costs time.
class ExecutableCache final {
 public:
  // Makes the folder (mode 0700). A folder that belongs to another user or
  // that others can write to is not used: enabled() is false, why() says it.
  explicit ExecutableCache(std::filesystem::path folder);

  bool enabled() const { return why_.empty(); }
  const std::string& why() const { return why_; }
  const std::filesystem::path& folder() const { return folder_; }

  std::optional<std::vector<std::byte>> load(const std::string& key) const;
  void store(const std::string& key,
             const std::vector<std::byte>& payload) const;
  void remove(const std::string& key) const;

 private:
  std::filesystem::path file(const std::string& key) const;

  std::filesystem::path folder_;
  std::string why_;
};

}  // namespace kexue::runtime
