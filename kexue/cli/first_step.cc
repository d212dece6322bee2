// kexue first-step: how long a start takes. Hidden; the demo runs it.
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "kexue/cli/child_process.h"
#include "kexue/cli/commands.h"
#include "kexue/cli/text_output.h"
#include "kexue/io/file_system.h"
#include "kexue/train/config.h"
#include "kexue/train/fine_tune.h"

namespace kexue::cli {
namespace {

// Leaves the run as soon as the first step has ended.
struct FirstStepDone {
  double end_s;
  train::StepReport report;
};

class StopAfterFirst final : public train::Observer {
 public:
  void step(const train::StepReport& report) override {
    throw FirstStepDone{seconds_since_process_start(), report};
  }
};

// A folder that is gone with the object.
class TemporaryFolder final {
 public:
  TemporaryFolder()
      : path_(std::filesystem::temp_directory_path() /
              "kexue-first-step-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) {
      throw io::os_error("mkdtemp", path_, -errno);
    }
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

int run_first_step(const FirstStepOptions& options, Console& console) {
  auto config = train::read_run_config(options.config);
  const TemporaryFolder folder;
  config.folder = folder.path();
  DeviceOptions device = options.device;
  device.devices = config.mesh_data * config.mesh_model;
  const auto session = open_session(device);
  const double session_s = seconds_since_process_start();
  StopAfterFirst observer;
  const std::atomic<bool> never{false};
  try {
    train::fine_tune(session, config, observer, never);
  } catch (const FirstStepDone& done) {
    const nlohmann::ordered_json result = {
        {"first_step_end_s", done.end_s},
        {"first_step_begin_s", done.end_s - done.report.step_s},
        {"plugin_s", session_s},
        {"compile_s", done.report.compile_s},
        {"step_s", done.report.step_s}};
    console.print_line(result.dump());
    return 0;
  }
  throw Error(Code::kInternal, "first-step: the run made no step");
}

}  // namespace kexue::cli
