// Built without Vega: the report shows its plain SVG charts.
#include "kexue/report/vega_files.h"

namespace kexue::report {

std::span<const VegaFile> vega_files() {
  return {};
}

}  // namespace kexue::report
