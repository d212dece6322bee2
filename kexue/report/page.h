// A self-contained HTML page: it works offline, in both themes, without
// scripts, and asks no network for anything.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kexue/report/chart.h"

namespace kexue::report {

// Ids of elements with the Vega-Lite specs to draw into them.
using Specs = std::vector<std::pair<std::string, std::string>>;

// From the doctype to the page's <h1>. The content policy refuses the network.
std::string page_begin(std::string_view title);
// Closes main, adds the scripts that draw the specs, closes the page.
std::string page_end(const Specs& specs);
// The chart as SVG, with a legend, a place for its spec and a table.
std::string figure_html(const Chart& chart);

// Cells are text; the first column names the row.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows = {};
};

// One bar a row, all to one scale; values must not be negative.
struct Bars {
  std::string title;
  std::string unit;
  std::vector<std::pair<std::string, double>> rows = {};
};

// Parts appear in the order they are added. All texts are escaped here.
class Page final {
 public:
  explicit Page(std::string title) : title_(std::move(title)) {}

  void heading(std::string_view text);
  void paragraph(std::string_view text);
  // What a reader must know before trusting the figures.
  void warning(std::string_view text);
  void preformatted(std::string_view text);
  void table(const Table& table);
  void bars(const Bars& bars);
  // Its id is given here.
  void chart(Chart chart);
  // `svg` is trusted: made by this program, with its texts escaped.
  void picture(std::string_view svg, std::string_view caption);
  // All parts of another page, behind these.
  void append(const Page& other);

  std::string html() const;

 private:
  struct Part {
    std::string html = {};  // of what is no chart
    Chart chart = {};
    bool is_chart = false;
  };

  void add(std::string html);

  std::string title_;
  std::vector<Part> parts_;
};

}  // namespace kexue::report
