#include "kexue/train/fine_tune.h"

#include "kexue/train/detail/loop.h"
#include "kexue/train/detail/run_checkpoints.h"

namespace kexue::train {

FineTuneResult fine_tune(const runtime::Session& session,
                         const RunConfig& config,
                         Observer& observer,
                         const std::atomic<bool>& stop) {
  RunConfig resolved = config;
  if (resolved.folder.empty()) resolved.folder = dated_run_folder("run");
  check_run_config(resolved);
  if (!detail::resume_plan(resolved).in_place) {
    RunFolder::refuse_used(resolved.folder);
  }
  const auto task = make_task(
      resolved, [&](const std::string& line) { observer.message(line); });
  return Loop(session, resolved, *task, observer, stop).run();
}

}  // namespace kexue::train
