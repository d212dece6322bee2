// kexue report: the page of a run made again, or of several runs.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/train/report.h"

namespace kexue::cli {
namespace {

namespace fs = std::filesystem;

std::string beside(const std::string& folder) {
  const fs::path path = fs::weakly_canonical(folder);
  return (path.parent_path() / "report.html").string();
}

}  // namespace

int run_report(const ReportOptions& options, Console& console) {
  const bool several = options.folders.size() > 1;
  if (!several && !options.output.empty()) {
    throw Error(Code::kInvalidArgument,
                "--output is for several runs: the page of one is its own",
                "leave it out");
  }
  std::string page = options.folders.front() + "/report.html";
  if (several) {
    page = options.output.empty() ? beside(options.folders.front())
                                  : options.output;
    train::write_comparison(options.folders, page);
  } else {
    train::write_report(options.folders.front());
  }
  if (console.json()) {
    console.print_line(nlohmann::json({{"report", page}}).dump());
  } else {
    console.print_line(page);
  }
  return 0;
}

}  // namespace kexue::cli
