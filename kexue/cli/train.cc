// kexue train: a run from a TOML file.
#include <fmt/format.h>

#include "kexue/cli/commands.h"
#include "kexue/cli/progress.h"
#include "kexue/cli/run_result.h"
#include "kexue/cli/signals.h"
#include "kexue/cli/text_output.h"
#include "kexue/train/config.h"
#include "kexue/train/fine_tune.h"

namespace kexue::cli {
namespace {

constexpr int kInterrupted = 130;

std::string toml_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

train::RunConfig config_of(const TrainOptions& options) {
  auto settings = options.settings;
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) settings.push_back(key + toml_text(value));
  };
  set("train.precision=", options.precision);
  set("train.loss_scale=", options.loss_scale);
  set("run.folder=", options.folder);
  set("run.resume=", options.resume);
  return train::read_run_config(options.config, settings);
}

void print_result(const train::FineTuneResult& result, Console& console) {
  console.print_line(fmt::format("folder      {}", result.folder));
  console.print_line(fmt::format("steps       {}{}",
                                 result.steps,
                                 result.interrupted ? " (interrupted)" : ""));
  if (result.skipped > 0) {
    console.print_line(fmt::format("skipped     {} (gradients were not finite)",
                                   result.skipped));
  }
  console.print_line(fmt::format("time        {} ({:.1f} s compiling)",
                                 clock_text(result.train_s),
                                 result.compile_s));
  console.print_line(
      fmt::format("speed       {:.0f} tokens/s", result.tokens_per_s));
  for (const auto& eval : last_evals(result)) {
    console.print_line(fmt::format("{:<11} loss {:.4f}, {}",
                                   eval.split,
                                   eval.loss,
                                   train::metric_text(eval.metrics)));
  }
}

}  // namespace

int run_train(const TrainOptions& options, Console& console) {
  const auto config = config_of(options);
  DeviceOptions device = options.device;
  device.devices = config.mesh_data * config.mesh_model;
  const auto session = open_session(device);
  const auto& stop = stop_on_signals();
  Progress progress(console);
  const auto result = train::fine_tune(session, config, progress, stop);
  console.end_progress();
  if (console.json()) {
    console.print_line(json_of(result));
  } else {
    print_result(result, console);
  }
  return result.interrupted ? kInterrupted : 0;
}

}  // namespace kexue::cli
