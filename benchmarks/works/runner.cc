#include "benchmarks/works/runner.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>

#include "kexue/base/error.h"
#include "kexue/io/safetensors.h"
#include "kexue/ir/flops.h"
#include "kexue/ir/graph.h"
#include "kexue/transforms/simplify.h"

namespace kexue::works {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

using Named = std::vector<std::pair<std::string, HostArray>>;

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

}  // namespace

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

Named start_values(const Work& work, const BenchOptions& options) {
  std::optional<io::Safetensors> file;
  if (!options.load.empty()) file = io::Safetensors::open(options.load);
  Named out;
  uint64_t stream = 0;
  for (const auto* slots : {&work.state, &work.inputs}) {
    for (const Slot& slot : *slots) {
      const Key key = Key::from_seed(7).fold_in(stream++);
      HostArray a = file ? file->tensor(slot.name) : slot.start(slot.type, key);
      if (a.type() != slot.type) {
        throw Error(Code::kInvalidArgument,
                    fmt::format("bench: {} in {} is {}, wanted {}",
                                slot.name,
                                options.load,
                                a.type().str(),
                                slot.type.str()));
      }
      out.emplace_back(slot.name, std::move(a));
    }
  }
  return out;
}

std::unique_ptr<ir::Graph> trace_step(const Work& work) {
  auto graph = std::make_unique<ir::Graph>();
  const ir::Tracing tracing(*graph);
  Values state;
  Values inputs;
  for (const Slot& s : work.state) {
    state.push_back(graph->input(s.type, s.name));
  }
  for (const Slot& s : work.inputs) {
    inputs.push_back(graph->input(s.type, s.name));
  }
  const StepResult result = work.step(state, inputs);
  Values outs = {result.report};
  outs.insert(outs.end(), result.state.begin(), result.state.end());
  graph->set_outputs(outs);
  return graph;
}

LiveWork::LiveWork(const runtime::Session& session,
                   const Work& work,
                   const BenchOptions& options)
    : session_(&session) {
  const auto begin = Clock::now();
  const auto graph = trace_step(work);
  start_.flops = ir::flops(*transforms::simplify(*graph));
  const Named named = start_values(work, options);
  if (!options.save.empty()) io::save_safetensors(options.save, named);
  start_.build_s = since(begin);
  runtime::CompileOptions how;
  how.compute = options.compute;
  for (size_t i = 0; i < work.state.size(); ++i) {
    how.alias.push_back(static_cast<int64_t>(i) + 1);
  }
  program_ = std::make_unique<runtime::Program>(session.compile(*graph, how));
  start_.compile_s =
      program_->stats().transform_s + program_->stats().compile_s;
  start_.from_cache = program_->stats().from_cache;
  for (size_t i = 0; i < named.size(); ++i) {
    auto& where = i < work.state.size() ? state_ : inputs_;
    where.push_back(session.to_device(named[i].second));
  }
}

LiveWork::Timed LiveWork::step() {
  const auto begin = Clock::now();
  const double cpu = cpu_seconds();
  std::vector<const runtime::DeviceArray*> args;
  for (const auto* arrays : {&state_, &inputs_}) {
    for (const auto& a : *arrays) args.push_back(&a);
  }
  auto out = program_->run(args);
  const double report = out.at(0).to_host().at(0);
  for (size_t i = 0; i < state_.size(); ++i) {
    state_[i] = std::move(out[i + 1]);
  }
  return {since(begin), cpu_seconds() - cpu, report};
}

BenchResult measure(LiveWork& live,
                    int64_t steps,
                    const std::function<void()>& after_first) {
  BenchResult r = live.start();
  r.report0 = live.step().report;
  after_first();
  live.step();
  std::vector<double> wall;
  std::vector<double> cpu;
  for (int64_t i = 0; i < steps; ++i) {
    const LiveWork::Timed t = live.step();
    r.report = t.report;
    wall.push_back(t.wall_s);
    cpu.push_back(t.cpu_s);
  }
  r.wall_min_s = *std::min_element(wall.begin(), wall.end());
  r.wall_med_s = median(wall);
  r.cpu_min_s = *std::min_element(cpu.begin(), cpu.end());
  r.peak_rss_mb = peak_rss_mb();
  return r;
}

}  // namespace kexue::works
