// kexue report: the page of a run folder, made again.
#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/train/report.h"

namespace kexue::cli {

int run_report(const ReportOptions& options, Console& console) {
  train::write_report(options.folder);
  const std::string page = options.folder + "/report.html";
  if (console.json()) {
    console.print_line(nlohmann::json({{"report", page}}).dump());
  } else {
    console.print_line(page);
  }
  return 0;
}

}  // namespace kexue::cli
