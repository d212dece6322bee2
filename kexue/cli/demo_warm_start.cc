#include "kexue/cli/demo_warm_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "kexue/cli/child_process.h"

namespace kexue::cli {
namespace {

// The first one may have to read the plugin from the disk again.
constexpr int kTimes = 3;

}  // namespace

WarmStart warm_start(const std::string& config, const DeviceOptions& device) {
  std::vector<std::string> arguments = {
      "first-step", config, "--threads", fmt::format("{}", device.threads)};
  if (!device.plugin.empty()) {
    arguments.insert(arguments.end(), {"--plugin", device.plugin});
  }
  std::vector<double> ends;
  std::vector<double> begins;
  for (int i = 0; i < kTimes; ++i) {
    const ChildResult child = run_self(arguments);
    const auto result = nlohmann::json::parse(
        child.output, nullptr, /*allow_exceptions=*/false);
    if (child.status != 0 || !result.is_object()) {
      throw Error(Code::kInternal,
                  fmt::format("kexue first-step {} ended with status {}",
                              config,
                              child.status));
    }
    ends.push_back(result.at("first_step_end_s"));
    begins.push_back(result.at("first_step_begin_s"));
  }
  std::sort(ends.begin(), ends.end());
  std::sort(begins.begin(), begins.end());
  const size_t middle = ends.size() / 2;
  return {.first_step_begin_s = begins[middle],
          .first_step_end_s = ends[middle]};
}

}  // namespace kexue::cli
