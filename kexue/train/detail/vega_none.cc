// Built without Vega: the report shows its plain SVG charts.
#include "kexue/train/detail/vega_files.h"

namespace kexue::train::detail {

std::span<const VegaFile> vega_files() {
  return {};
}

}  // namespace kexue::train::detail
