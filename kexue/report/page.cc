#include "kexue/report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/report/html.h"
#include "kexue/report/page_style.h"
#include "kexue/report/vega_files.h"

namespace kexue::report {
namespace {

// Nothing may come from or go to a network, whatever the page contains.
constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline' 'unsafe-eval'; img-src data: blob:";

// Member functions of Page hide it.
std::string escaped(std::string_view text) {
  return html(text);
}

std::string legend_of(const Chart& chart) {
  if (chart.curves.size() + chart.marks.size() < 2) return "";
  std::string out = "<p class=\"legend\">";
  const auto add = [&](const std::string& name, int colour, bool faint) {
    out += fmt::format(
        "<span><span class=\"dot\" "
        "style=\"background:var(--c{}{})\"></span>{}</span>",
        colour,
        faint ? "-faint" : "",
        html(name));
  };
  for (const Curve& c : chart.curves) {
    add(c.name, c.colour, c.style == Curve::Style::kFaint);
  }
  for (const Marks& m : chart.marks) add(m.name, m.colour, false);
  return out + "</p>";
}

std::string row_of(const std::vector<std::string>& cells, size_t columns) {
  std::string out = "<tr>";
  for (size_t i = 0; i < columns; ++i) {
    const std::string text = i < cells.size() ? html(cells[i]) : "";
    out += i == 0 ? "<th scope=\"row\">" + text + "</th>"
                  : "<td>" + text + "</td>";
  }
  return out + "</tr>\n";
}

}  // namespace

std::string page_begin(std::string_view title) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light "
      "dark\">\n<title>{} - kexue</title>\n<link rel=\"icon\" "
      "href=\"data:,\">\n<style>{}</style>\n</head>\n<body>\n<main>\n"
      "<h1>{}</h1>\n",
      kPolicy,
      html(title),
      page_style(),
      html(title));
}

std::string page_end(const Specs& specs) {
  std::string out = "</main>\n";
  if (!specs.empty() && !vega_files().empty()) {
    for (const VegaFile& file : vega_files()) {
      out += fmt::format("<script>\n/*! {}\n{}*/\n{}\n</script>\n",
                         file.name,
                         file.licence,
                         script_source(file.source));
    }
    out += "<script type=\"application/json\" id=\"specs\">{";
    const char* separator = "";
    for (const auto& [id, spec] : specs) {
      out += fmt::format("{}\"{}\":{}", separator, id, script_json(spec));
      separator = ",\n";
    }
    out += fmt::format("}}</script>\n<script>{}</script>\n", page_script());
  }
  return out + "</body>\n</html>\n";
}

std::string figure_html(const Chart& chart) {
  return fmt::format(
      "<figure><figcaption>{}{}</figcaption>{}{}<div class=\"live\" "
      "id=\"{}\"></div><details><summary>as a table</summary>{}</details>"
      "</figure>\n",
      html(chart.title),
      chart.y_title.empty() ? ""
                            : " <small>" + html(chart.y_title) + "</small>",
      legend_of(chart),
      to_svg(chart),
      chart.id,
      to_table(chart));
}

void Page::add(std::string html) {
  parts_.push_back({.html = std::move(html)});
}

void Page::heading(std::string_view text) {
  add("<h2>" + escaped(text) + "</h2>\n");
}

void Page::paragraph(std::string_view text) {
  add("<p>" + escaped(text) + "</p>\n");
}

void Page::warning(std::string_view text) {
  add("<ul class=\"notes\"><li>" + escaped(text) + "</li></ul>\n");
}

void Page::preformatted(std::string_view text) {
  add("<pre tabindex=\"0\"><code>" + escaped(text) + "</code></pre>\n");
}

void Page::table(const Table& table) {
  std::string out = "<div class=\"wide\"><table class=\"numbers\"><thead><tr>";
  for (const std::string& name : table.columns) {
    out += "<th>" + escaped(name) + "</th>";
  }
  out += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) out += row_of(row, table.columns.size());
  add(out + "</tbody></table></div>\n");
}

void Page::bars(const Bars& bars) {
  double most = 0;
  for (const auto& [name, value] : bars.rows) {
    if (std::isfinite(value)) most = std::max(most, value);
  }
  std::string out = fmt::format(
      "<figure><figcaption>{} <small>{}</small></figcaption>"
      "<table class=\"numbers\"><tbody>\n",
      escaped(bars.title),
      escaped(bars.unit));
  for (const auto& [name, value] : bars.rows) {
    const bool drawn = std::isfinite(value) && value > 0;
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td style=\"width:60%\">"
        "<div style=\"height:12px;border-radius:3px;background:var(--c0);"
        "width:{:.1f}%\"></div></td></tr>\n",
        escaped(name),
        figure(value, Unit::kNumber),
        drawn ? 100 * value / most : 0.0);
  }
  add(out + "</tbody></table></figure>\n");
}

void Page::chart(Chart chart) {
  parts_.push_back({.chart = std::move(chart), .is_chart = true});
}

void Page::picture(std::string_view svg, std::string_view caption) {
  add(fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n",
                  svg,
                  escaped(caption)));
}

void Page::append(const Page& other) {
  parts_.insert(parts_.end(), other.parts_.begin(), other.parts_.end());
}

std::string Page::html() const {
  std::string out = page_begin(title_);
  Specs specs;
  bool in_grid = false;  // charts that follow each other share rows
  for (const Part& part : parts_) {
    if (part.is_chart != in_grid) {
      out += in_grid ? "</section>\n"
                     : "<section class=\"charts\" aria-label=\"Charts\">\n";
      in_grid = part.is_chart;
    }
    if (!part.is_chart) {
      out += part.html;
      continue;
    }
    Chart chart = part.chart;
    chart.id = fmt::format("chart-{}", specs.size());
    out += figure_html(chart);
    specs.emplace_back(chart.id, to_vega(chart));
  }
  if (in_grid) out += "</section>\n";
  return out + page_end(specs);
}

}  // namespace kexue::report
