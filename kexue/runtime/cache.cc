#include "kexue/runtime/cache.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <span>

#include "kexue/base/error.h"
#include "kexue/base/hash.h"
#include "kexue/io/atomic_file.h"

namespace kexue::runtime {
namespace {

constexpr char kMagic[] = "KXEXEC01";
constexpr size_t kMaxEntry = size_t{1} << 30;

std::string header(const std::string& key, std::span<const std::byte> payload) {
  return fmt::format(
      "{}{:>64}{:>20}{}", kMagic, key, payload.size(), hash128(payload));
}

constexpr size_t kHeader = 8 + 64 + 20 + 32;

}  // namespace

std::filesystem::path cache_root() {
  if (const char* set = std::getenv("KEXUE_CACHE"); set && *set) {
    return std::filesystem::absolute(set);
  }
  std::error_code ignored;
  const std::filesystem::path here = ".cache/kexue";
  if (std::filesystem::is_directory(here, ignored)) {
    return std::filesystem::absolute(here);
  }
  if (const char* home = std::getenv("HOME"); home && *home) {
    return std::filesystem::path(home) / ".cache" / "kexue";
  }
  return std::filesystem::absolute(here);
}

ExecutableCache::ExecutableCache(std::filesystem::path folder)
    : folder_(std::move(folder)) {
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  if (failed) {
    why_ = folder_.string() + ": " + failed.message();
    return;
  }
  ::chmod(folder_.c_str(), 0700);
  struct stat s {};
  if (::stat(folder_.c_str(), &s) != 0 || s.st_uid != ::geteuid() ||
      (s.st_mode & 022) != 0) {
    why_ = folder_.string() + ": not ours, or others can write to it";
  }
}

std::filesystem::path ExecutableCache::file(const std::string& key) const {
  return folder_ / (key + ".kxexec");
}

std::optional<std::vector<std::byte>> ExecutableCache::load(
    const std::string& key) const {
  if (!enabled()) return std::nullopt;
  std::error_code ignored;
  if (!std::filesystem::exists(file(key), ignored)) return std::nullopt;
  std::string bytes;
  try {
    bytes = io::read_file(file(key).string(), kMaxEntry);
  } catch (const Error&) {
    return std::nullopt;
  }
  if (bytes.size() >= kHeader) {
    const std::span<const std::byte> payload(
        reinterpret_cast<const std::byte*>(bytes.data()) + kHeader,
        bytes.size() - kHeader);
    if (bytes.compare(0, kHeader, header(key, payload)) == 0) {
      return std::vector<std::byte>(payload.begin(), payload.end());
    }
  }
  remove(key);
  return std::nullopt;
}

void ExecutableCache::store(const std::string& key,
                            const std::vector<std::byte>& payload) const {
  if (!enabled()) return;
  std::string bytes = header(key, payload);
  bytes.append(reinterpret_cast<const char*>(payload.data()), payload.size());
  try {
    io::write_file(file(key).string(), bytes);
  } catch (const Error&) {
    // The program is compiled and runs; only the next start is slower.
  }
}

void ExecutableCache::remove(const std::string& key) const {
  std::error_code ignored;
  std::filesystem::remove(file(key), ignored);
}

}  // namespace kexue::runtime
