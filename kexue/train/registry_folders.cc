// What run folders say about their entries.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "kexue/base/error.h"
#include "kexue/base/hash.h"
#include "kexue/io/file_system.h"
#include "kexue/train/detail/run_identity.h"
#include "kexue/train/detail/run_record.h"
#include "kexue/train/registry.h"

namespace kexue::train {
namespace {

namespace fs = std::filesystem;

constexpr int kDepth = 4;

// True while a process trains into the folder.
bool is_locked(const std::string& folder) {
  io::FileSystem& files = io::real_fs();
  const int fd = files.open(folder + "/run.lock", O_RDONLY | O_NOFOLLOW, 0);
  if (fd < 0) return false;
  const io::Descriptor lock(files, fd);
  return ::flock(fd, LOCK_SH | LOCK_NB) != 0;
}

bool is_run(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "metrics.jsonl", ignored);
}

void find_runs(const fs::path& folder, int depth, std::set<std::string>* out) {
  if (is_run(folder)) {
    out->insert(folder.string());
    return;  // runs do not lie in runs
  }
  if (depth == 0) return;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::error_code ignored;
    if (at->is_directory(ignored) && !at->is_symlink(ignored)) {
      find_runs(at->path(), depth - 1, out);
    }
  }
}

// Folders that the old registry knows; none if it cannot be read.
void add_known(const std::string& path, std::set<std::string>* out) {
  try {
    for (const auto& entry :
         Registry(path, Registry::Open::kExisting).entries()) {
      if (is_run(entry.folder)) out->insert(entry.folder);
    }
  } catch (const Error&) {
  }
}

void put_all(const std::string& path,
             const std::set<std::string>& folders,
             Rebuilt* out) {
  Registry registry(path, Registry::Open::kCreate);
  std::set<std::string> ids;
  for (const std::string& folder : folders) {
    try {
      RunEntry entry = entry_of(folder);
      // A copy of a run folder is a run of its own.
      if (!ids.insert(entry.id).second) {
        entry.id = hash128(entry.folder).substr(0, entry.id.size());
      }
      registry.put(entry);
      ++out->runs;
    } catch (const Error& e) {
      out->problems.push_back(e.text());
    }
  }
}

}  // namespace

RunEntry entry_of(const std::string& folder) {
  const detail::RunRecord run = detail::read_run(folder);
  const detail::RunIdentity identity = detail::read_identity(folder);
  RunEntry out;
  out.id = identity.id;
  out.folder = fs::weakly_canonical(folder).string();
  out.started = identity.started;
  out.config = run.config_text;
  out.config_hash = detail::config_hash(run.config);
  out.metrics = detail::last_metrics(run);
  if (!run.steps.empty()) {
    out.steps = run.steps.back().step;
    out.total_steps = run.steps.back().total_steps;
  }
  if (run.failed) {
    out.status = "failed";
    out.note = run.error;
  } else if (run.done) {
    out.steps = run.done->steps;
    out.status = run.done->interrupted ? "interrupted" : "done";
  } else {
    out.status = is_locked(folder) ? "running" : "killed";
  }
  if (out.status != "running") {
    out.ended = detail::file_time(folder + "/metrics.jsonl");
  }
  return out;
}

void look_at_folder(RunEntry* entry) {
  std::error_code ignored;
  entry->vanished = !fs::is_directory(entry->folder, ignored);
  if (entry->status == "running" && !is_locked(entry->folder)) {
    entry->status = "killed";
  }
}

Rebuilt rebuild_registry(const std::string& path,
                         const std::vector<std::string>& folders) {
  require_registry(path);
  fs::path home = fs::path(path).parent_path();
  if (home.empty()) home = ".";
  std::set<std::string> found;
  find_runs(fs::weakly_canonical(home), kDepth, &found);
  add_known(path, &found);
  for (const std::string& folder : folders) {
    if (!fs::is_directory(folder)) {
      throw Error(Code::kNotFound, folder + ": no such folder");
    }
    find_runs(fs::weakly_canonical(folder), kDepth, &found);
  }
  Rebuilt out;
  // In the same folder, so that relative names stay right.
  const std::string fresh =
      (home / fmt::format(".registry-{}.tmp", ::getpid())).string();
  std::error_code ignored;
  fs::remove(fresh, ignored);
  try {
    put_all(fresh, found, &out);
    // A journal of the old file would be played back into the new one.
    fs::remove(path + "-journal", ignored);
    const int rc = io::real_fs().rename(fresh, path);
    if (rc < 0) throw io::os_error("rename", path, rc);
  } catch (...) {
    fs::remove(fresh, ignored);
    throw;
  }
  return out;
}

}  // namespace kexue::train
