#include "kexue/train/task.h"

#include "kexue/train/detail/tasks.h"

namespace kexue::train {

data::Labels labels_of(const std::string& task) {
  if (task == "classify") return data::Labels::kClasses;
  return task == "regress" ? data::Labels::kScores : data::Labels::kNone;
}

std::unique_ptr<Task> make_task(
    const RunConfig& config,
    const std::function<void(const std::string&)>& say) {
  if (config.task == "regress") return detail::make_regress(config, say);
  if (config.task == "masked_lm") return detail::make_masked_lm(config, say);
  return detail::make_classify(config, say);
}

}  // namespace kexue::train
