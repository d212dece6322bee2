// Training state on disk: complete and verified, or not there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/io/file_system.h"

namespace kexue::io {

// A folder `step-0000000042` with state.safetensors, progress.json and, written
// last, manifest.json: names, bytes and XXH3-128 of the other two
// (docs/formats/checkpoint.md).
struct Checkpoint {
  int64_t step = 0;
  std::vector<std::pair<std::string, HostArray>> tensors;
  std::string progress = "{}";   // JSON: everything that is no tensor
  std::string config_hash = "";  // of what must not change
  std::string fingerprint = "";  // of the compiler, its flags, the processor
  std::optional<double> score;   // larger is better; none: was not evaluated
};

// Reads a folder and verifies each byte against the manifest.
// Errors: kNotFound without the folder; kCorruptData naming file and rule,
//         with both numbers or both sums; kUnsupported for a format version of
//         the future, or a limit; kIo. `path` may be a relative one.
Checkpoint read_checkpoint(const std::string& path, FileSystem& fs = real_fs());

// "step-0000000042"; nullopt for other names.
std::string step_name(int64_t step);
std::optional<int64_t> step_of_name(std::string_view name);

// The folder that holds the checkpoints of one run. One process at a time: the
// caller holds the run's lock.
class CheckpointStore final {
 public:
  struct Skipped {
    std::string name;  // of the folder
    std::string why;
  };
  // `checkpoint` is the newest that verifies; `skipped` are newer ones.
  struct Found {
    std::optional<Checkpoint> checkpoint;
    std::vector<Skipped> skipped;
  };

  // Makes the folder if need be and removes what a killed writer left.
  // Errors: kIo.
  explicit CheckpointStore(std::string folder, FileSystem& fs = real_fs());

  const std::string& folder() const { return folder_; }
  std::string path(int64_t step) const;
  // Ascending, complete or not.
  std::vector<int64_t> steps() const;

  // Writes a checkpoint; on return it is on disk for good. Protocol: space for
  // 1.1 x its size, a temporary folder, files by O_EXCL, write and fsync, the
  // manifest last, fsync of the folder, rename, fsync of the parent.
  //
  // Errors: kInvalidArgument if the step is there already; kIo, a full disk
  //         included. Whatever fails, the older checkpoints are untouched and
  //         this step is not there, or (if it cannot be removed) complete.
  void save(const Checkpoint& checkpoint);
  // The same under the name `.bad-0000000042`, which is never resumed from;
  // takes the place of one of that name.
  void save_bad(const Checkpoint& checkpoint);

  Found newest();
  // Renames the checkpoints after `step` to `aside-step-...`, which nothing
  // reads or removes, and returns the new names. They are damaged, or a
  // future that was given up.
  std::vector<std::string> set_aside_after(int64_t step);
  // Removes all but the `keep_last` newest and the one of the best score (the
  // later of two). Only what verifies counts; if nothing does, nothing goes.
  // A checkpoint that cannot be removed stays.
  void rotate(int64_t keep_last);

 private:
  struct Judged {
    bool good = false;
    std::optional<double> score;
  };
  void clean();
  void commit(const Checkpoint& checkpoint, const std::string& target);
  void discard(const std::string& name) noexcept;
  const Judged& judge(int64_t step);

  std::string folder_;
  FileSystem& fs_;
  std::map<int64_t, Judged> judged_;  // what this object wrote or verified
};

}  // namespace kexue::io
