// Runs a work on a session and measures it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/works/work.h"
#include "kexue/runtime/session.h"

namespace kexue::works {

struct BenchOptions {
  Sizes sizes;
  DType compute = DType::kF32;
  std::string load;  // safetensors: start values of state and inputs by name
  std::string save;  // write the start values there
};

struct BenchResult {
  double build_s = 0;    // trace and start values
  double compile_s = 0;  // or loading from the cache
  bool from_cache = false;
  double wall_min_s = 0;
  double wall_med_s = 0;
  double cpu_min_s = 0;  // of the process, all threads
  double flops = 0;      // of one step: products and convolutions
  double peak_rss_mb = 0;
  double report0 = 0;  // after the first step
  double report = 0;   // after the last
};

// The start of each slot, state first: from options.load if it names a file,
// else from the slot's own random stream.
std::vector<std::pair<std::string, HostArray>> start_values(
    const Work& work, const BenchOptions& options);

// The program of one step: inputs are state, then inputs; outputs the report,
// then the next state.
std::unique_ptr<ir::Graph> trace_step(const Work& work);

// A work that stays alive and runs steps when asked, so that two systems can
// take turns on a machine whose speed drifts.
// Errors: kInvalidArgument if a loaded tensor has another type; kNotFound if
//         one is missing.
class LiveWork final {
 public:
  LiveWork(const runtime::Session& session,
           const Work& work,
           const BenchOptions& options);

  struct Timed {
    double wall_s;
    double cpu_s;
    double report;
  };
  Timed step();
  const BenchResult& start() const { return start_; }

 private:
  const runtime::Session* session_;
  std::unique_ptr<runtime::Program> program_;
  std::vector<runtime::DeviceArray> state_;
  std::vector<runtime::DeviceArray> inputs_;
  BenchResult start_;
};

// The most memory this process ever had, MiB.
double peak_rss_mb();

// The first step, one more to warm up, then `steps` that are measured. After
// the first, `after_first` is called.
BenchResult measure(LiveWork& live,
                    int64_t steps,
                    const std::function<void()>& after_first);

}  // namespace kexue::works
