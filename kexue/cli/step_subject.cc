#include "kexue/cli/step_subject.h"

#include <algorithm>
#include <map>
#include <utility>

namespace kexue::cli {
namespace {

constexpr size_t kBatches = 4;

// The first batches of the shape that an epoch has most of.
std::vector<train::HostBatch> frequent_batches(const train::Task& task) {
  const auto source = task.train_batches();
  std::map<int64_t, int64_t> count;
  std::map<int64_t, std::vector<train::HostBatch>> first;
  for (int64_t i = 0; i < source->batches_per_epoch(); ++i) {
    auto batch = source->next();
    const int64_t length = batch.arrays.at("ids").shape()[1];
    ++count[length];
    auto& some = first[length];
    if (some.size() == kBatches) continue;
    task.prepare(batch, train::Task::Phase::kTrain);
    some.push_back(std::move(batch.arrays));
  }
  const auto most = std::max_element(
      count.begin(), count.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      });
  return first.at(most->first);
}

}  // namespace

StepSubject step_subject(const train::RunConfig& config,
                         const std::function<void(const std::string&)>& say) {
  StepSubject s;
  s.task = train::make_task(config, say);
  s.step = train::run_step(config, *s.task);
  s.step.options.step.parallel = {};
  s.values = s.task->take_values();
  s.batches = frequent_batches(*s.task);
  return s;
}

StepProgram step_program(const StepSubject& s) {
  const train::RunStep& step = s.step;
  const train::StepOptions& options = step.options.step;
  const auto& batch = s.batches.front();
  StepProgram p;
  p.graph = train::build_step(step.params,
                              step.loss,
                              *step.plan.optimizer,
                              train::types_of(batch),
                              options)
                .graph;
  p.args = train::initial_state(
      train::state_layout(
          step.params, *step.plan.optimizer, options.accumulate),
      s.values,
      options);
  for (const auto& [name, array] : batch) p.args.push_back(array);
  p.args.push_back(kTimingHyper.array());
  return p;
}

}  // namespace kexue::cli
