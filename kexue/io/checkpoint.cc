#include "kexue/io/checkpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <span>

#include "kexue/base/checked.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/checkpoint_manifest.h"
#include "kexue/io/new_file.h"
#include "kexue/io/safetensors_header.h"

namespace kexue::io {
namespace {

constexpr const char* kTemporary = ".tmp-";
constexpr const char* kDeleted = ".del-";
// Manifest, header and folders, rounded up.
constexpr uint64_t kSmallFiles = 65'536;

// EINVAL: the file system has no fsync for folders.
void sync_folder(const std::string& path, FileSystem& fs) {
  const int fd = fs.open(path, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) detail::fail_to_save("open", path, fd);
  const Descriptor folder(fs, fd);
  const int rc = fs.fsync(fd);
  if (rc < 0 && rc != -EINVAL) detail::fail_to_save("fsync", path, rc);
}

// The folder and the files in it; what cannot go stays. A link goes itself,
// not what it points to.
void remove_folder(const std::string& path, FileSystem& fs) {
  if (fs.unlink(path) >= 0) return;
  std::vector<std::string> names;
  if (fs.list(path, &names) < 0) return;
  for (const auto& name : names) fs.unlink(path + "/" + name);
  fs.rmdir(path);
}

std::string unique_suffix() {
  std::random_device random;
  return fmt::format("{}-{:08x}{:08x}", ::getpid(), random(), random());
}

uint64_t bytes_of(const Checkpoint& c) {
  uint64_t total = kSmallFiles + c.progress.size();
  for (const auto& [name, array] : c.tensors) {
    total = checked_add(total, array.bytes() + 256 + name.size(), "checkpoint");
  }
  return total;
}

void write_content(const Checkpoint& c,
                   const std::string& folder,
                   FileSystem& fs) {
  detail::Manifest manifest{.step = c.step,
                            .config_hash = c.config_hash,
                            .fingerprint = c.fingerprint,
                            .score = c.score,
                            .files = {}};
  {
    detail::NewFile state(folder, detail::kStateFile, bytes_of(c), fs);
    const std::string header = detail::safetensors_header_text(c.tensors, {});
    const uint64_t length = header.size();
    state.write(std::as_bytes(std::span(&length, 1)));
    state.write(header);
    for (const auto& [name, array] : c.tensors) {
      state.write(std::span(array.data(), array.bytes()));
    }
    manifest.files.push_back(state.finish());
  }
  detail::NewFile progress(
      folder, detail::kProgressFile, c.progress.size(), fs);
  progress.write(c.progress);
  manifest.files.push_back(progress.finish());
  detail::NewFile last(folder, detail::kManifestFile, 0, fs);
  last.write(detail::to_json(manifest));
  last.finish();
}

}  // namespace

CheckpointStore::CheckpointStore(std::string folder, FileSystem& fs)
    : folder_(std::move(folder)), fs_(fs) {
  const int rc = fs_.mkdir(folder_, 0777);
  if (rc < 0 && rc != -EEXIST) detail::fail_to_save("mkdir", folder_, rc);
  if (rc == 0) sync_folder(parent_folder(folder_), fs_);
  clean();
}

std::string CheckpointStore::path(int64_t step) const {
  return folder_ + "/" + step_name(step);
}

std::vector<int64_t> CheckpointStore::steps() const {
  std::vector<std::string> names;
  if (const int rc = fs_.list(folder_, &names); rc < 0) {
    throw os_error("list", folder_, rc);
  }
  std::vector<int64_t> out;
  for (const auto& name : names) {
    if (const auto step = step_of_name(name)) out.push_back(*step);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void CheckpointStore::clean() {
  std::vector<std::string> names;
  if (const int rc = fs_.list(folder_, &names); rc < 0) {
    throw os_error("list", folder_, rc);
  }
  for (const auto& name : names) {
    if (name.starts_with(kTemporary) || name.starts_with(kDeleted)) {
      remove_folder(folder_ + "/" + name, fs_);
    }
  }
}

// Renamed first: a step folder is never seen with some of its files.
void CheckpointStore::discard(const std::string& name) noexcept {
  try {
    const std::string gone =
        fmt::format("{}/{}{}-{}", folder_, kDeleted, name, unique_suffix());
    if (fs_.rename(folder_ + "/" + name, gone) >= 0) remove_folder(gone, fs_);
  } catch (...) {  // out of memory, or of random numbers: it stays
  }
}

void CheckpointStore::commit(const Checkpoint& c, const std::string& target) {
  require_free_space(folder_, bytes_of(c), fs_);
  const std::string temporary =
      fmt::format("{}/{}{}-{}", folder_, kTemporary, c.step, unique_suffix());
  if (const int rc = fs_.mkdir(temporary, 0777); rc < 0) {
    detail::fail_to_save("mkdir", temporary, rc);
  }
  bool renamed = false;
  try {
    write_content(c, temporary, fs_);
    sync_folder(temporary, fs_);
    const int rc = fs_.rename(temporary, folder_ + "/" + target);
    if (rc < 0) detail::fail_to_save("rename", folder_ + "/" + target, rc);
    renamed = true;
    sync_folder(folder_, fs_);
  } catch (...) {
    // Without the last fsync nobody may count on it: it goes again.
    if (renamed) discard(target);
    if (!renamed) remove_folder(temporary, fs_);
    throw;
  }
}

void CheckpointStore::save(const Checkpoint& c) {
  const auto there = steps();
  if (std::find(there.begin(), there.end(), c.step) != there.end()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: this step is saved already", path(c.step)));
  }
  commit(c, step_name(c.step));
  judged_[c.step] = {.good = true, .score = c.score};
}

void CheckpointStore::save_bad(const Checkpoint& c) {
  const std::string name = fmt::format(".bad-{:010}", c.step);
  discard(name);
  commit(c, name);
}

CheckpointStore::Found CheckpointStore::newest() {
  Found out;
  auto all = steps();
  std::reverse(all.begin(), all.end());
  for (const int64_t step : all) {
    try {
      out.checkpoint = read_checkpoint(path(step), fs_);
      judged_[step] = {.good = true, .score = out.checkpoint->score};
      return out;
    } catch (const Error& e) {
      out.skipped.push_back({step_name(step), e.text()});
    }
  }
  return out;
}

std::vector<std::string> CheckpointStore::set_aside_after(int64_t step) {
  std::vector<std::string> out;
  for (const int64_t later : steps()) {
    if (later <= step) continue;
    std::string name = "aside-" + step_name(later);
    int rc = fs_.rename(path(later), folder_ + "/" + name);
    if (rc == -EEXIST || rc == -ENOTEMPTY) {
      name += fmt::format("-{}", unique_suffix());
      rc = fs_.rename(path(later), folder_ + "/" + name);
    }
    if (rc < 0) detail::fail_to_save("rename", path(later), rc);
    judged_.erase(later);
    out.push_back(name);
  }
  if (!out.empty()) sync_folder(folder_, fs_);
  return out;
}

const CheckpointStore::Judged& CheckpointStore::judge(int64_t step) {
  const auto known = judged_.find(step);
  if (known != judged_.end()) return known->second;
  Judged verdict;
  try {
    verdict = {.good = true,
               .score = detail::verified_manifest(path(step), fs_).score};
  } catch (const Error&) {
  }
  return judged_[step] = verdict;
}

void CheckpointStore::rotate(int64_t keep_last) {
  std::vector<int64_t> good;
  for (const int64_t step : steps()) {
    if (judge(step).good) good.push_back(step);
  }
  std::optional<int64_t> best;
  for (const int64_t step : good) {
    const auto score = judge(step).score;
    if (score && (!best || *score >= *judge(*best).score)) best = step;
  }
  const auto kept = static_cast<size_t>(std::max<int64_t>(keep_last, 1));
  if (good.size() <= kept) return;
  for (size_t i = 0; i < good.size() - kept; ++i) {
    if (good[i] == best) continue;
    discard(step_name(good[i]));
    judged_.erase(good[i]);
  }
}

}  // namespace kexue::io
