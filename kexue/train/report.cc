#include "kexue/train/report.h"

#include "kexue/io/atomic_file.h"
#include "kexue/train/detail/report_compare.h"
#include "kexue/train/detail/report_page.h"

namespace kexue::train {

void write_report(const std::string& run_folder) {
  const std::string page = detail::report_page(detail::read_run(run_folder));
  io::write_file(run_folder + "/report.html", std::string_view(page));
}

void write_comparison(const std::vector<std::string>& run_folders,
                      const std::string& file) {
  std::vector<detail::RunRecord> runs;
  for (const auto& folder : run_folders) {
    runs.push_back(detail::read_run(folder));
  }
  io::write_file(file, std::string_view(detail::compare_page(runs)));
}

}  // namespace kexue::train
