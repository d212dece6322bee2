#include "kexue/train/detail/report_predictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/report/heatmap.h"

namespace kexue::train::detail {
namespace {

using namespace report;

std::string class_name(const Predictions& p, double value) {
  const auto index = static_cast<size_t>(std::max(value, 0.0));
  if (p.classes.empty()) return figure(value, Unit::kNumber);
  return index < p.classes.size() ? p.classes[index] : "?";
}

std::string confusion_html(const Predictions& p, Specs* specs) {
  if (p.confusion.empty()) return "";
  const Heatmap map{.id = "confusion-" + p.split,
                    .title = "Confusion",
                    .row_title = "truth",
                    .column_title = "predicted",
                    .names = p.classes,
                    .counts = p.confusion};
  specs->emplace_back(map.id, to_vega(map));
  return figure_html(map);
}

std::string chart_html(const Chart& chart, Specs* specs) {
  specs->emplace_back(chart.id, to_vega(chart));
  return figure_html(chart);
}

// How often a guess was right, by how sure it was.
std::string calibration_html(const Predictions& p, Specs* specs) {
  if (p.bins.empty()) return "";
  Chart chart{.id = "calibration-" + p.split,
              .title = "Calibration",
              .y_title = fmt::format(
                  "accuracy by confidence; expected calibration error {}",
                  figure(p.calibration_error, Unit::kPercent)),
              .unit = Unit::kPercent,
              .x_title = "confidence"};
  chart.x = {0, 1};
  chart.curves.push_back(
      {.name = "ideal", .colour = 4, .y = std::vector<double>{0, 1}});
  Marks bins{.name = "this model", .colour = 0};
  for (const Bin& bin : p.bins) {
    if (bin.rows > 0) bins.points.emplace_back(bin.confidence, bin.accuracy);
  }
  chart.marks.push_back(std::move(bins));
  return chart_html(chart, specs);
}

std::string scatter_html(const Predictions& p, Specs* specs) {
  if (p.scatter.empty()) return "";
  Chart chart{.id = "scatter-" + p.split,
              .title = "Predicted scores",
              .y_title = "over the true ones",
              .from_zero = false,
              .x_title = "truth"};
  double low = p.scatter.front().first;
  double high = low;
  for (const auto& [truth, predicted] : p.scatter) {
    low = std::min(low, truth);
    high = std::max(high, truth);
  }
  chart.x = {low, high};
  chart.curves.push_back(
      {.name = "ideal", .colour = 4, .y = std::vector<double>{low, high}});
  chart.marks.push_back(
      {.name = "rows", .colour = 0, .points = p.scatter, .radius = 3});
  return chart_html(chart, specs);
}

// The counts behind the reliability diagram.
std::string bins_table(const Predictions& p) {
  if (p.bins.empty()) return "";
  std::string out =
      "<details><summary>calibration as a table</summary><table "
      "class=\"numbers\"><thead><tr><th>confidence</th><th>accuracy</th>"
      "<th>rows</th></tr></thead><tbody>";
  for (const Bin& bin : p.bins) {
    if (bin.rows == 0) continue;
    out +=
        fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
                    figure(bin.confidence, Unit::kPercent),
                    figure(bin.accuracy, Unit::kPercent),
                    grouped(bin.rows));
  }
  return out + "</tbody></table></details>\n";
}

std::string samples_html(const Predictions& p,
                         const char* title,
                         const std::vector<Sample>& samples) {
  if (samples.empty()) return "";
  std::string out = fmt::format(
      "<h3>{}</h3><div class=\"wide\"><table class=\"samples\"><thead><tr>"
      "<th>row</th><th>truth</th><th>predicted</th>{}<th>text, as the "
      "tokenizer sees it</th></tr></thead><tbody>\n",
      title,
      p.classes.empty() ? "" : "<th>probability</th>");
  for (const Sample& s : samples) {
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td>{}<td>{}</td></tr>\n",
        grouped(s.row + 1),
        html(class_name(p, s.truth)),
        html(class_name(p, s.predicted)),
        p.classes.empty()
            ? ""
            : "<td>" + figure(s.probability, Unit::kPercent) + "</td>",
        html(s.text));
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string predictions_html(const Predictions& p, Specs* specs) {
  std::string out = fmt::format(
      "<section><h2>Predictions on {}</h2><p class=\"hint\">After step {}, of "
      "{} rows.{}</p>\n<div class=\"charts\">\n",
      html(p.split),
      grouped(p.step),
      grouped(p.rows),
      p.not_finite == 0
          ? ""
          : fmt::format(" {} rows whose output was not finite are left out.",
                        grouped(p.not_finite)));
  out += confusion_html(p, specs) + calibration_html(p, specs) +
         scatter_html(p, specs) + "</div>\n" + bins_table(p);
  out += samples_html(p, "Most wrong", p.wrong);
  out += samples_html(
      p, p.classes.empty() ? "By chance" : "Right, by chance", p.right);
  return out + "</section>\n";
}

}  // namespace kexue::train::detail
