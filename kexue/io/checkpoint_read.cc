#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "kexue/base/hash.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/checkpoint.h"
#include "kexue/io/checkpoint_manifest.h"
#include "kexue/io/limits.h"
#include "kexue/io/safetensors.h"

namespace kexue::io {
namespace {

constexpr size_t kChunk = size_t{1} << 20;
constexpr std::string_view kPrefix = "step-";
constexpr size_t kDigits = 10;

// A file that a checkpoint must have: its absence is damage.
[[noreturn]] void refuse_missing(const std::string& path) {
  throw Error(
      Code::kCorruptData,
      fmt::format("{}: no such file: the checkpoint is not complete", path));
}

void verify_file(const std::string& path,
                 const detail::ManifestEntry& entry,
                 FileSystem& fs) {
  const Descriptor file = [&] {
    try {
      return open_for_reading(path, fs);
    } catch (const Error& e) {
      if (e.code() == Code::kNotFound) refuse_missing(path);
      throw;
    }
  }();
  FileInfo info;
  if (const int rc = fs.info(file.get(), &info); rc < 0) {
    throw os_error("stat", path, rc);
  }
  if (!info.is_regular || info.bytes != entry.bytes) {
    throw Error(Code::kCorruptData,
                fmt::format("{}: {} bytes, the manifest says {}",
                            path,
                            info.bytes,
                            entry.bytes));
  }
  Hasher hasher;
  std::vector<std::byte> buffer(kChunk);
  for (;;) {
    const int64_t n = fs.read(file.get(), buffer.data(), buffer.size());
    if (n == -EINTR) continue;
    if (n < 0) throw os_error("read", path, n);
    if (n == 0) break;
    hasher.update(std::span(buffer.data(), static_cast<size_t>(n)));
  }
  if (hasher.hex() != entry.xxh3_128) {
    throw Error(Code::kCorruptData,
                fmt::format("{}: the sum is {}, the manifest says {}",
                            path,
                            hasher.hex(),
                            entry.xxh3_128));
  }
}

std::string manifest_text(const std::string& folder, FileSystem& fs) {
  const std::string path = folder + "/" + detail::kManifestFile;
  try {
    return read_file(path, limits::kManifestBytes, fs);
  } catch (const Error& e) {
    if (e.code() != Code::kNotFound) throw;
    std::vector<std::string> names;
    const int rc = fs.list(folder, &names);
    if (rc < 0) throw os_error("open checkpoint", folder, rc);
    refuse_missing(path);
  }
}

}  // namespace

std::string step_name(int64_t step) {
  return fmt::format("{}{:0{}}", kPrefix, step, kDigits);
}

std::optional<int64_t> step_of_name(std::string_view name) {
  if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + kDigits) {
    return std::nullopt;
  }
  uint64_t step = 0;
  const char* begin = name.data() + kPrefix.size();
  const char* end = name.data() + name.size();
  const auto [at, failed] = std::from_chars(begin, end, step);
  if (failed != std::errc{} || at != end) return std::nullopt;
  return static_cast<int64_t>(step);
}

detail::Manifest detail::verified_manifest(const std::string& folder,
                                           FileSystem& fs) {
  auto manifest =
      parse_manifest(manifest_text(folder, fs), folder + "/" + kManifestFile);
  const auto named = step_of_name(folder.substr(folder.rfind('/') + 1));
  if (named && *named != manifest.step) {
    throw Error(
        Code::kCorruptData,
        fmt::format(
            "{}: the manifest is that of step {}", folder, manifest.step));
  }
  for (const auto& entry : manifest.files) {
    verify_file(folder + "/" + entry.name, entry, fs);
  }
  return manifest;
}

Checkpoint read_checkpoint(const std::string& path, FileSystem& fs) {
  std::string folder = path;
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  const auto manifest = detail::verified_manifest(folder, fs);
  Checkpoint out;
  out.step = manifest.step;
  out.config_hash = manifest.config_hash;
  out.fingerprint = manifest.fingerprint;
  out.score = manifest.score;
  out.progress =
      read_file(folder + "/" + detail::kProgressFile, limits::kJsonBytes, fs);
  const auto state =
      Safetensors::open(folder + "/" + detail::kStateFile, {}, fs);
  for (const auto& entry : state.entries()) {
    out.tensors.emplace_back(entry.name, state.tensor(entry.name));
  }
  return out;
}

}  // namespace kexue::io
