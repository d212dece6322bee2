#include "kexue/cli/demo_timing.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "kexue/cli/step_subject.h"
#include "kexue/runtime/op_by_op.h"

namespace kexue::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUp = 2;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start)
      .count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

train::Engine engine_of(const runtime::Session& session,
                        const StepSubject& s,
                        DType compute) {
  train::EngineOptions options = s.step.options;
  options.compute = compute;
  train::Engine engine(
      session, s.step.params, s.step.loss, s.step.plan.optimizer, options);
  engine.start(s.values);
  return engine;
}

void time_precisions(const runtime::Session& session,
                     const StepSubject& s,
                     int repeats,
                     StepTimes& times) {
  auto f32 = engine_of(session, s, DType::kF32);
  auto bf16 = engine_of(session, s, DType::kBF16);
  std::vector<double> f32_ms;
  std::vector<double> bf16_ms;
  for (int i = -kWarmUp; i < repeats; ++i) {
    const auto& batch =
        s.batches[static_cast<size_t>(i + kWarmUp) % s.batches.size()];
    auto start = Clock::now();
    f32.step(batch, kTimingHyper);
    const double first = ms_since(start);
    start = Clock::now();
    bf16.step(batch, kTimingHyper);
    const double second = ms_since(start);
    if (i < 0) continue;
    f32_ms.push_back(first);
    bf16_ms.push_back(second);
  }
  times.f32_ms = median(f32_ms);
  times.bf16_ms = median(bf16_ms);
}

OpByOpTime time_op_by_op(const runtime::Session& session,
                         const StepSubject& s,
                         DType compute,
                         int repeats) {
  const StepProgram step = step_program(s);
  runtime::CompileOptions options;
  options.compute = compute;
  const runtime::OpByOp ops(session, *step.graph, options);
  std::vector<runtime::DeviceArray> buffers;
  for (const auto& a : step.args) buffers.push_back(session.to_device(a));
  std::vector<const runtime::DeviceArray*> args;
  for (const auto& b : buffers) args.push_back(&b);
  std::vector<double> ms;
  for (int i = -1; i < repeats; ++i) {
    const auto start = Clock::now();
    ops.run(args).back().await();
    if (i >= 0) ms.push_back(ms_since(start));
  }
  return {.ms = median(ms),
          .ops = ops.ops(),
          .programs = ops.programs(),
          .compile_s = ops.compile_s()};
}

}  // namespace

StepTimes time_steps(const runtime::Session& session,
                     const runtime::Session& plain,
                     const train::RunConfig& config,
                     const TimingOptions& options) {
  // What there is to say was said by the run.
  const StepSubject subject = step_subject(config, [](const std::string&) {});
  const Shape shape = subject.batches.front().at("ids").shape();
  StepTimes times;
  times.batch = shape[0];
  times.length = shape[1];
  time_precisions(session, subject, options.repeats, times);
  const int repeats = options.op_by_op_repeats;
  times.plain = time_op_by_op(plain, subject, DType::kF32, repeats);
  if (options.op_by_op_kernels) {
    times.kernels = time_op_by_op(session, subject, DType::kBF16, repeats);
  }
  return times;
}

}  // namespace kexue::cli
