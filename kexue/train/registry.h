// All runs in one SQLite file, so that they can be listed and compared.
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kexue::train {

inline constexpr const char* kRegistryFile = "runs/registry.sqlite";

// What the registry keeps of a run. The run folder is the truth: an entry can
// be made from it again (entry_of).
struct RunEntry {
  std::string id;           // 8 hexadecimal digits, kept in run.json
  std::string folder;       // absolute
  std::string status;       // running, done, interrupted, failed, killed
  std::string note;         // the error that ended it
  std::string config_hash;  // of the settings without [run]
  std::string config;       // config.toml
  double started = std::numeric_limits<double>::quiet_NaN();  // since 1970, s
  double ended = std::numeric_limits<double>::quiet_NaN();
  int64_t steps = 0;
  int64_t total_steps = 0;
  // The last ones: "dev.accuracy", "test.loss", "loss", "tokens_per_s", ...
  std::vector<std::pair<std::string, double>> metrics = {};
  // Not stored: found out when the entry is read.
  bool vanished = false;  // the folder is not there any more
};

// This build has SQLite (KEXUE_WITH_SQLITE).
bool has_registry();
// kUnsupported naming the registry if it has not.
void require_registry(const std::string& path);

// An open registry. Every change is one transaction: a process killed at any
// moment leaves the old state or the new one. Several processes may write.
//
// Folders below the registry's own are kept relative to it, so that all of
// runs/ can be moved.
// Errors: kCorruptData for a file that is no registry, or a damaged one;
//         kUnsupported for one of a later version, and without SQLite; kIo
//         (a registry that others keep locked for 10 seconds, too).
class Registry final {
 public:
  enum class Open { kExisting, kCreate };

  // kExisting: kNotFound if there is none.
  Registry(const std::string& path, Open how);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Adds the run, or puts it in the place of the one with its id or folder.
  void put(const RunEntry& entry);
  // All runs, in the order of their start.
  std::vector<RunEntry> entries() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The entry of a run folder, from its files.
// Errors: as write_report.
RunEntry entry_of(const std::string& folder);

// What is only known now: `vanished`, and "killed" for a run that says it is
// running while no process holds its run.lock.
void look_at_folder(RunEntry* entry);

struct Rebuilt {
  size_t runs = 0;
  std::vector<std::string> problems;  // folders that could not be read, why
};
// Makes the registry again: from the run folders below its own folder (at most
// four levels down), those that the old registry knew, and `folders`. The old
// file is replaced at the end by one rename.
Rebuilt rebuild_registry(const std::string& path,
                         const std::vector<std::string>& folders);

}  // namespace kexue::train
