// The checkpoints of one run: when to go on from which, and what to keep.
// Private to kexue/train.
#pragma once

#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "kexue/io/checkpoint.h"
#include "kexue/runtime/session.h"
#include "kexue/train/detail/progress.h"
#include "kexue/train/engine.h"
#include "kexue/train/fine_tune.h"

namespace kexue::train::detail {

// What run.resume asks for, before anything is made.
struct ResumePlan {
  bool in_place = false;  // the run folder is there already and goes on
  std::string from;       // a step folder; "": the newest, or from the start
};
// Errors: kNotFound for a path that is not there.
ResumePlan resume_plan(const RunConfig& config);

// Checkpoints are written in a thread beside the steps, one at a time: a copy
// of the state is taken, and training goes on while it is hashed and synced.
// One that was not waited for is finished by the destructor.
class RunCheckpoints final {
 public:
  struct Resumed {
    std::vector<HostArray> state;
    Progress progress;
    std::string path;
  };

  // Touches nothing; what follows needs the run folder's lock.
  RunCheckpoints(const RunConfig& config,
                 const runtime::Session& session,
                 Observer& observer);

  // The state to go on from; nullopt: from the start. The observer is told
  // what was skipped, and why, and where a result may differ.
  // Errors: as io::read_checkpoint for a named one; kInvalidArgument naming
  //         the key if the configuration changed, or the tensor if the model
  //         did; kCorruptData if there are checkpoints and none can be read.
  std::optional<Resumed> resume(const StateLayout& layout);
  // The run folder is there already, and goes on.
  bool in_place() const { return plan_.in_place; }

  // Waits for the one before, then begins to write; `before` is called first,
  // in that thread. What is written is rotated.
  // Errors: those of the one before; kInvalidArgument if a parameter is not
  //         finite: that state is left as .bad-<step>.
  void save(const StateLayout& layout,
            std::vector<HostArray> state,
            Progress progress,
            std::optional<double> score,
            std::function<void()> before);
  // Tells the observer that a checkpoint is on disk, once it is. wait() waits
  // for it. Errors: kIo, unless run.on_save_error = continue: then it is told.
  void poll();
  void wait();
  // The step saved last, or resumed from; waits for one being written.
  int64_t last_step();

 private:
  std::string path(int64_t step) const;
  void save_bad(const io::Checkpoint& c, const std::string& name);
  void forgive(const Error& e, int64_t step);
  io::CheckpointStore& store();
  std::optional<io::Checkpoint> newest();
  void check_same(const io::Checkpoint& c, const Progress& p) const;

  const RunConfig& config_;
  Observer& observer_;
  std::string folder_;
  ResumePlan plan_;
  FrozenKeys keys_;
  std::string fingerprint_;
  std::optional<io::CheckpointStore> store_;  // made when first needed
  int64_t last_ = -1;
  int64_t writing_step_ = -1;
  bool written_ = false;       // of the thread, until writing_ is ready
  std::future<void> writing_;  // last: waits before the rest is destroyed
};

}  // namespace kexue::train::detail
