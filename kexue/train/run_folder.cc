#include "kexue/train/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/limits.h"
#include "kexue/io/write_all.h"
#include "kexue/models/bert_files.h"

namespace kexue::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTokenizerFiles[] = {"vocab.txt",
                                           "tokenizer.json",
                                           "tokenizer_config.json",
                                           "special_tokens_map.json"};
// config.json, headers and folders, rounded up.
constexpr uint64_t kSmallFiles = uint64_t{1} << 20;

std::string made(std::string path) {
  RunFolder::refuse_used(path);
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) throw io::os_error("mkdir", path, -failed.value());
  return path;
}

int open_lock(const std::string& path) {
  const std::string file = path + "/run.lock";
  const int fd = io::real_fs().open(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0666);
  if (fd < 0) throw io::os_error("open", file, fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  const int error = errno;
  ::close(fd);
  if (error != EWOULDBLOCK) throw io::os_error("flock", file, -error);
  throw Error(Code::kInvalidArgument,
              fmt::format("{}: another process is training into it", path),
              "choose another [run] folder");
}

int open_metrics(const std::string& path, int exclusive) {
  const std::string file = path + "/metrics.jsonl";
  const int fd = io::real_fs().open(
      file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | exclusive, 0666);
  if (fd == -EEXIST) RunFolder::refuse_used(path);
  if (fd < 0) throw io::os_error("create", file, fd);
  return fd;
}

// The names in a folder change durably only with this. EINVAL: the file
// system has no fsync for folders.
void sync_folder(const std::string& path) {
  io::FileSystem& files = io::real_fs();
  const int fd = files.open(path, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) throw io::os_error("open", path, fd);
  const io::Descriptor folder(files, fd);
  const int rc = files.fsync(fd);
  if (rc < 0 && rc != -EINVAL) throw io::os_error("fsync", path, rc);
}

// `made` takes the place of `target`; what was there ends up as `made`, or
// beside it where the file system cannot exchange names.
void swap_in(const std::string& fresh, const std::string& target) {
  const auto move = [](const std::string& from,
                       const std::string& to,
                       unsigned flags) {
    return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0
               ? 0
               : -errno;
  };
  int rc = move(fresh, target, RENAME_NOREPLACE);
  if (rc == 0) return;
  rc = move(fresh, target, RENAME_EXCHANGE);
  if (rc == -EINVAL || rc == -ENOSYS) {
    const std::string old = target + ".previous";
    rc = move(target, old, 0);
    if (rc == -ENOENT) rc = 0;
    if (rc == 0) rc = move(fresh, target, 0);
    std::error_code ignored;
    if (rc == 0) fs::remove_all(old, ignored);
  }
  if (rc < 0) throw io::os_error("rename", target, rc);
}

uint64_t tokenizer_bytes(const std::string& folder) {
  uint64_t total = 0;
  for (const char* file : kTokenizerFiles) {
    std::error_code ignored;
    const auto bytes = fs::file_size(fs::path(folder) / file, ignored);
    if (!ignored) total += bytes;
  }
  return total;
}

void copy_tokenizer(const std::string& from, const std::string& to) {
  for (const char* file : kTokenizerFiles) {
    const std::string source = fmt::format("{}/{}", from, file);
    if (!fs::exists(source)) continue;
    io::write_file(fmt::format("{}/{}", to, file),
                   io::read_file(source, io::limits::kVocabBytes));
  }
}

}  // namespace

void RunFolder::refuse_used(const std::string& path) {
  std::vector<std::string> names;
  const int rc = io::real_fs().list(path, &names);
  if (rc == -ENOENT) return;
  if (rc == -ENOTDIR) {
    throw Error(Code::kInvalidArgument, path + ": not a folder");
  }
  if (rc < 0) throw io::os_error("list", path, rc);
  std::erase(names, "run.lock");  // of a run that stopped before it began
  if (!names.empty()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: the run folder holds {} files already, {} "
                            "among them",
                            path,
                            names.size(),
                            names.front()),
                "choose another [run] folder, or remove this one");
  }
}

RunFolder::RunFolder(std::string path)
    : path_(made(std::move(path))),
      lock_(io::real_fs(), open_lock(path_)),
      metrics_(io::real_fs(), open_metrics(path_, O_EXCL)) {}

RunFolder::RunFolder(std::string path, int lock, int metrics)
    : path_(std::move(path)),
      lock_(io::real_fs(), lock),
      metrics_(io::real_fs(), metrics) {}

RunFolder RunFolder::reopened(std::string path) {
  const int lock = open_lock(path);
  try {
    const int metrics = open_metrics(path, 0);
    return RunFolder(std::move(path), lock, metrics);
  } catch (...) {
    ::close(lock);
    throw;
  }
}

void RunFolder::refuse_finished() const {
  if (!fs::exists(model_path())) return;
  throw Error(Code::kInvalidArgument,
              path_ + ": this run is over, and it left no checkpoint",
              "choose another [run] folder; train.save_every > 0 keeps "
              "checkpoints");
}

bool RunFolder::is_run(const std::string& path) {
  return fs::exists(path + "/run.lock") && fs::exists(path + "/metrics.jsonl");
}

void RunFolder::write(const std::string& name, std::string_view text) const {
  io::write_file(path_ + "/" + name, text);
}

void RunFolder::append_metrics(std::string line) {
  line += '\n';
  const int64_t rc = io::write_all(io::real_fs(), metrics_.get(), line);
  if (rc < 0) throw io::os_error("write", path_ + "/metrics.jsonl", rc);
}

void RunFolder::sync_metrics() const {
  const int rc = io::real_fs().fsync(metrics_.get());
  if (rc < 0) throw io::os_error("fsync", path_ + "/metrics.jsonl", rc);
}

uint64_t RunFolder::metrics_bytes() const {
  io::FileInfo info;
  const int rc = io::real_fs().info(metrics_.get(), &info);
  if (rc < 0) throw io::os_error("stat", path_ + "/metrics.jsonl", rc);
  return info.bytes;
}

bool RunFolder::cut_metrics(uint64_t bytes) {
  if (metrics_bytes() < bytes) return false;
  if (::ftruncate(metrics_.get(), static_cast<off_t>(bytes)) != 0) {
    throw io::os_error("truncate", path_ + "/metrics.jsonl", -errno);
  }
  return true;
}

void RunFolder::save_model(const models::BertConfig& config,
                           const std::vector<HostArray>& values,
                           const std::string& tokenizer_folder) const {
  uint64_t bytes = kSmallFiles + tokenizer_bytes(tokenizer_folder);
  for (const auto& v : values) bytes += v.bytes();
  io::require_free_space(path_, bytes);
  const std::string fresh = fmt::format("{}/.tmp-model-{}", path_, ::getpid());
  std::error_code ignored;
  fs::remove_all(fresh, ignored);
  const int rc = io::real_fs().mkdir(fresh, 0777);
  if (rc < 0) throw io::os_error("mkdir", fresh, rc);
  try {
    models::save_bert(fresh, config, values);
    copy_tokenizer(tokenizer_folder, fresh);
    sync_folder(fresh);
    swap_in(fresh, model_path());
    sync_folder(path_);
  } catch (...) {
    fs::remove_all(fresh, ignored);
    throw;
  }
  fs::remove_all(fresh, ignored);  // the previous model, after an exchange
}

}  // namespace kexue::train
