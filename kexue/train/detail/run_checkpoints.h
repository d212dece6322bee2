// The checkpoints of one run: when to go on from which, and what to keep.
// Private to kexue/train.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kexue/io/checkpoint.h"
#include "kexue/runtime/session.h"
#include "kexue/train/detail/progress.h"
#include "kexue/train/engine.h"

namespace kexue::train::detail {

// What run.resume asks for, before anything is made.
struct ResumePlan {
  bool in_place = false;  // the run folder is there already and goes on
  std::string from;       // a step folder; "": the newest, or from the start
};
// Errors: kNotFound for a path that is not there.
ResumePlan resume_plan(const RunConfig& config);

class RunCheckpoints final {
 public:
  using Say = std::function<void(const std::string&)>;
  struct Resumed {
    std::vector<HostArray> state;
    Progress progress;
    std::string path;
  };

  // Touches nothing; what follows needs the run folder's lock.
  RunCheckpoints(const RunConfig& config,
                 const runtime::Session& session,
                 Say say);

  // The state to go on from; nullopt: from the start. `say` is told what was
  // skipped, and why, and where a result may differ.
  // Errors: as io::read_checkpoint for a named one; kInvalidArgument naming
  //         the key if the configuration changed, or the tensor if the model
  //         did; kCorruptData if there are checkpoints and none can be read.
  std::optional<Resumed> resume(const StateLayout& layout);
  // The run folder is there already, and goes on.
  bool in_place() const { return plan_.in_place; }

  // Writes, then rotates. False if it failed and run.on_save_error = continue.
  // Errors: kIo; kInvalidArgument if a parameter is not finite: that state is
  //         left as .bad-<step>.
  bool save(const StateLayout& layout,
            std::vector<HostArray> state,
            Progress progress,
            std::optional<double> score);
  // Of the step saved last, or resumed from.
  int64_t last_step() const { return last_; }
  std::string path(int64_t step) const;

 private:
  io::CheckpointStore& store();
  std::optional<io::Checkpoint> newest();
  void check_same(const io::Checkpoint& c, const Progress& p) const;

  const RunConfig& config_;
  Say say_;
  std::string folder_;
  ResumePlan plan_;
  FrozenKeys keys_;
  std::string fingerprint_;
  std::optional<io::CheckpointStore> store_;  // made when first needed
  int64_t last_ = -1;
};

}  // namespace kexue::train::detail
