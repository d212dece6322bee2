#include "kexue/train/task.h"

#include "kexue/train/detail/tasks.h"

namespace kexue::train {

std::unique_ptr<Task> make_task(
    const RunConfig& config,
    const std::function<void(const std::string&)>& say) {
  return detail::make_classify(config, say);
}

}  // namespace kexue::train
