// Counts in rows and columns: a confusion matrix.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kexue::report {

// Cells are as dark as their share of the row.
struct Heatmap {
  std::string id;                  // of the element on the page: [a-z-]+
  std::string title;               // "Confusion"
  std::string row_title;           // "truth"
  std::string column_title;        // "predicted"
  std::vector<std::string> names;  // of rows and columns alike
  std::vector<int64_t> counts;     // [row * n + column]
};

std::string describe(const Heatmap& map);
std::string to_svg(const Heatmap& map);
std::string to_vega(const Heatmap& map);
// Rows with their share that lies on the diagonal.
std::string to_table(const Heatmap& map);
std::string figure_html(const Heatmap& map);

}  // namespace kexue::report
