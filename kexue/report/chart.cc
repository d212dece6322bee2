#include "kexue/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace kexue::report {
namespace {

constexpr size_t kTableRows = 20;

// Steps are whole; other quantities are not.
std::string x_text(const Chart& chart, double x) {
  return chart.x_title == "step" ? fmt::format("{:.0f}", x)
                                 : fmt::format("{:.6g}", x);
}

// Places in [begin, end) where y is lowest and highest, in rising order.
std::vector<size_t> extremes(const std::vector<double>& y,
                             size_t begin,
                             size_t end) {
  size_t low = begin;
  size_t high = begin;
  for (size_t i = begin; i < end; ++i) {
    // Written so that any number beats NaN.
    if (!(y[i] >= y[low]) && !std::isnan(y[i])) low = i;
    if (!(y[i] <= y[high]) && !std::isnan(y[i])) high = i;
  }
  if (low == high) return {low};
  return {std::min(low, high), std::max(low, high)};
}

std::string sentence(const Chart& chart,
                     const std::string& name,
                     const std::vector<double>& x,
                     const std::vector<double>& y) {
  const Unit unit = chart.unit;
  double first = std::nan("");
  double last = std::nan("");
  size_t low = y.size();
  size_t high = y.size();
  for (size_t i = 0; i < y.size(); ++i) {
    if (!std::isfinite(y[i])) continue;
    if (std::isnan(first)) first = y[i];
    last = y[i];
    if (low == y.size() || y[i] < y[low]) low = i;
    if (high == y.size() || y[i] > y[high]) high = i;
  }
  if (low == y.size()) return "";
  return fmt::format(
      " {}: from {} to {}, lowest {} at {} {}, highest {} at {} {}.",
      name,
      figure(first, unit),
      figure(last, unit),
      figure(y[low], unit),
      chart.x_title,
      x_text(chart, x[low]),
      figure(y[high], unit),
      chart.x_title,
      x_text(chart, x[high]));
}

double total_of(const TimeSplit& split) {
  double total = 0;
  for (const auto& [name, seconds] : split) total += seconds;
  return total;
}

double share(double part, double total) {
  return total > 0 ? part / total : 0;
}

}  // namespace

bool Chart::has_values() const {
  const auto finite = [](double v) { return std::isfinite(v); };
  for (const Curve& curve : curves) {
    if (std::any_of(curve.y.begin(), curve.y.end(), finite)) return true;
  }
  for (const Marks& set : marks) {
    for (const auto& [at, value] : set.points) {
      if (finite(value)) return true;
    }
  }
  return false;
}

std::vector<double> smooth(const std::vector<double>& y, double window) {
  const double keep = std::exp(-1 / std::max(window, 1e-9));
  std::vector<double> out;
  out.reserve(y.size());
  double sum = 0;
  double weight = 0;
  for (const double v : y) {
    if (std::isfinite(v)) {
      sum = sum * keep + v;
      weight = weight * keep + 1;
    }
    out.push_back(sum / weight);  // 0/0: NaN until there is a value
  }
  return out;
}

Chart thinned(Chart chart) {
  const size_t n = chart.x.size();
  if (n <= kMaxPoints || chart.curves.empty()) return chart;
  // Two points a stretch, and room for the first and the last.
  const size_t stretches = (kMaxPoints - 2) / 2;
  std::vector<size_t> kept = {0};
  for (size_t s = 0; s < stretches; ++s) {
    for (const size_t i : extremes(chart.curves.front().y,
                                   1 + s * (n - 2) / stretches,
                                   1 + (s + 1) * (n - 2) / stretches)) {
      kept.push_back(i);
    }
  }
  kept.push_back(n - 1);
  const auto pick = [&](const std::vector<double>& from) {
    std::vector<double> out;
    out.reserve(kept.size());
    for (const size_t i : kept) out.push_back(from[i]);
    return out;
  };
  chart.x = pick(chart.x);
  for (Curve& curve : chart.curves) curve.y = pick(curve.y);
  return chart;
}

std::string describe(const Chart& chart) {
  std::string out = chart.title;
  if (!chart.x.empty()) {
    out += fmt::format(" over {} {} to {}",
                       chart.x_title == "step" ? "steps" : chart.x_title,
                       x_text(chart, chart.x.front()),
                       x_text(chart, chart.x.back()));
  }
  out += ".";
  for (const Curve& curve : chart.curves) {
    out += sentence(chart, curve.name, chart.x, curve.y);
  }
  for (const Marks& set : chart.marks) {
    std::vector<double> x;
    std::vector<double> y;
    for (const auto& [at, value] : set.points) {
      x.push_back(at);
      y.push_back(value);
    }
    out += sentence(chart, set.name, x, y);
  }
  return out;
}

std::string to_table(const Chart& chart) {
  std::string out = "<table class=\"numbers\"><thead><tr><th>" +
                    html(chart.x_title) + "</th>";
  for (const Curve& curve : chart.curves) {
    out += "<th>" + html(curve.name) + "</th>";
  }
  out += "</tr></thead><tbody>";
  const size_t n = chart.x.size();
  const size_t rows = std::min(n, kTableRows);
  for (size_t r = 0; r < rows; ++r) {
    const size_t i = rows < 2 ? 0 : r * (n - 1) / (rows - 1);
    out +=
        fmt::format("<tr><th scope=\"row\">{}</th>", x_text(chart, chart.x[i]));
    for (const Curve& curve : chart.curves) {
      out += "<td>" + figure(curve.y[i], chart.unit) + "</td>";
    }
    out += "</tr>";
  }
  return out + "</tbody></table>";
}

std::string describe(const TimeSplit& split) {
  const double total = total_of(split);
  std::string out = fmt::format("{} in all:", figure(total, Unit::kSeconds));
  const char* separator = " ";
  for (const auto& [name, seconds] : split) {
    out += fmt::format("{}{} {} ({})",
                       separator,
                       name,
                       figure(seconds, Unit::kSeconds),
                       figure(share(seconds, total), Unit::kPercent));
    separator = ", ";
  }
  return out + ".";
}

std::string to_table(const TimeSplit& split) {
  const double total = total_of(split);
  std::string out =
      "<table class=\"numbers\"><thead><tr><th>part</th><th>time</th>"
      "<th>share</th></tr></thead><tbody>";
  int colour = 0;
  for (const auto& [name, seconds] : split) {
    out += fmt::format(
        "<tr><th scope=\"row\"><span class=\"dot\" "
        "style=\"background:var(--c{})\"></span>{}</th><td>{}</td><td>{}</td>"
        "</tr>",
        colour++,
        html(name),
        figure(seconds, Unit::kSeconds),
        figure(share(seconds, total), Unit::kPercent));
  }
  return out + "</tbody></table>";
}

}  // namespace kexue::report
