// Private to train: what a run leaves beside metrics.jsonl, for TensorBoard
// and for the registry of runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/io/event_file.h"
#include "kexue/nn/param.h"
#include "kexue/train/detail/predictions.h"
#include "kexue/train/fine_tune.h"
#include "kexue/train/registry.h"

namespace kexue::train::detail {

// Told by the loop. Event files are part of the run: a disk that refuses them
// ends it, as it does with metrics.jsonl. The registry is not: what goes wrong
// with it is a message, once.
class Recorder final {
 public:
  Recorder(const RunConfig& config, std::string folder, Observer& observer);

  // `step` were done before: 0, or those of the run that goes on.
  void begin(int64_t step, const std::string& environment);
  void step(const StepReport& report);
  void eval(const EvalReport& report, const Predictions* predictions);
  // Histograms of at most kHistogramValues parameters a group, evenly spaced.
  void parameters(int64_t step,
                  const nn::ParamList& params,
                  const std::vector<HostArray>& values);
  void end(const FineTuneResult& result);
  void fail(const std::string& text);  // never throws

 private:
  void write(int64_t step, const io::EventSummary& summary);
  void set(const std::string& name, double value);
  void register_run(const std::string& status);

  const RunConfig& config_;
  std::string folder_;
  Observer& observer_;
  std::optional<io::EventFile> events_;
  RunEntry entry_;
  bool registers_ = false;
};

inline constexpr size_t kHistogramValues = size_t{1} << 18;

// A picture of the counts: rows are truths, columns predictions; darker is a
// larger share of the row.
io::Image confusion_image(const std::vector<int64_t>& confusion);

}  // namespace kexue::train::detail
