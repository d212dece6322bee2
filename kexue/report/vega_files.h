// The Vega scripts inside the binary.
#pragma once

#include <span>
#include <string_view>

namespace kexue::report {

struct VegaFile {
  std::string_view name;
  std::string_view licence;
  std::string_view source;
};

// In the order a page loads them; empty when built without Vega.
std::span<const VegaFile> vega_files();

}  // namespace kexue::report
