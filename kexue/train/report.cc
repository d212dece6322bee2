#include "kexue/train/report.h"

#include "kexue/io/atomic_file.h"
#include "kexue/train/detail/report_page.h"

namespace kexue::train {

void write_report(const std::string& run_folder) {
  const std::string page = detail::report_page(detail::read_run(run_folder));
  io::write_file(run_folder + "/report.html", std::string_view(page));
}

}  // namespace kexue::train
