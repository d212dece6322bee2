// Charts as plain SVG: what shows without scripts, and to a screen reader.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kexue/report/chart.h"

namespace kexue::report {
namespace {

constexpr double kWidth = 520;
constexpr double kHeight = 250;
constexpr double kLeft = 56;
constexpr double kRight = 10;
constexpr double kTop = 10;
constexpr double kBottom = 30;
constexpr int kMostTicks = 20;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double v) {
    if (!std::isfinite(v)) return;
    low = std::min(low, v);
    high = std::max(high, v);
  }
};

// The step of 1, 2 or 5 times a power of ten that gives about `count` ticks.
double tick_step(double span, int count) {
  const double raw = span / count;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw) return factor * power;
  }
  return 10 * power;
}

struct Axis {
  double low = 0;
  double high = 1;
  double step = 1;
  double from = 0;  // where low and high lie on the page
  double to = 1;
  bool is_log = false;  // low, high and step are of log10

  double at(double v) const { return place(is_log ? std::log10(v) : v); }
  double place(double t) const {
    return from + (t - low) / (high - low) * (to - from);
  }
  double value(double t) const { return is_log ? std::pow(10, t) : t; }
};

Axis axis_for(Range range, bool from_zero, bool round, int ticks) {
  if (range.low > range.high) range = {0, 1};
  if (from_zero) range.add(0);
  // So close together that ticks between them would not be numbers any more.
  const double size = std::max(std::abs(range.low), std::abs(range.high));
  if (range.high - range.low <= 1e-9 * size) {
    range.add(range.low + (size == 0 ? 1 : size / 2));
  }
  Axis axis{.low = range.low, .high = range.high};
  axis.step = tick_step(axis.high - axis.low, ticks);
  if (round) {
    axis.low = std::floor(axis.low / axis.step + 1e-9) * axis.step;
    axis.high = std::ceil(axis.high / axis.step - 1e-9) * axis.step;
  }
  return axis;
}

// Whole powers of ten around the range.
Axis log_axis(Range range, int ticks) {
  if (range.low > range.high) range = {1, 10};
  Axis axis{.low = std::floor(std::log10(range.low) + 1e-9),
            .high = std::ceil(std::log10(range.high) - 1e-9),
            .is_log = true};
  axis.high = std::max(axis.high, axis.low + 1);
  axis.step = std::max(1.0, tick_step(axis.high - axis.low, ticks));
  return axis;
}

// A logarithmic axis has no place for zero and below.
Chart drawable(Chart chart) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto clear = [](bool is_log, double& v) {
    if (is_log && !(v > 0)) v = kNone;
  };
  for (Curve& curve : chart.curves) {
    for (size_t i = 0; i < curve.y.size(); ++i) {
      clear(chart.log_y, curve.y[i]);
      if (chart.log_x && !(chart.x[i] > 0)) curve.y[i] = kNone;
    }
  }
  for (double& x : chart.x) clear(chart.log_x, x);
  for (Marks& set : chart.marks) {
    for (auto& [at, value] : set.points) {
      clear(chart.log_y, value);
      if (chart.log_x && !(at > 0)) value = kNone;
      clear(chart.log_x, at);
    }
  }
  return chart;
}

std::string tick_text(double v, Unit unit) {
  if (unit == Unit::kPercent) return fmt::format("{:.3g}%", v * 100);
  if (unit == Unit::kRate && v >= 1e4) return fmt::format("{:.3g}k", v / 1e3);
  return fmt::format("{:.3g}", v);
}

std::string grid(const Axis& x, const Axis& y, Unit unit) {
  std::string out;
  for (int k = 0; k <= kMostTicks; ++k) {
    const double v = y.low + k * y.step;
    if (v > y.high + y.step / 2) break;
    const bool is_zero = std::abs(v) < y.step / 2;  // but for rounding
    out += fmt::format(
        "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" "
        "y2=\"{:.1f}\"/><text x=\"{}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{}</text>",
        kLeft,
        kWidth - kRight,
        y.place(v),
        y.place(v),
        kLeft - 6,
        y.place(v) + 4,
        tick_text(is_zero && !y.is_log ? 0 : y.value(v), unit));
  }
  const double first = std::ceil(x.low / x.step) * x.step;
  const auto is_zero_x = [&](double v) { return std::abs(v) < x.step / 2; };
  for (int k = 0; k <= kMostTicks; ++k) {
    const double v = first + k * x.step;
    if (v > x.high) break;
    out += fmt::format(
        "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.4g}</text>",
        x.place(v),
        kHeight - kBottom + 16,
        is_zero_x(v) && !x.is_log ? 0 : x.value(v));
  }
  return out;
}

std::string path_of(const Chart& chart,
                    const Curve& curve,
                    const Axis& x,
                    const Axis& y) {
  std::string d;
  bool pen_down = false;
  double last = 0;
  for (size_t i = 0; i < curve.y.size(); ++i) {
    if (!std::isfinite(curve.y[i])) {
      pen_down = false;
      continue;
    }
    const double at = x.at(chart.x[i]);
    if (pen_down && curve.style == Curve::Style::kStep) {
      d += fmt::format("L{:.1f} {:.1f}", at, y.at(last));
    }
    last = curve.y[i];
    d += fmt::format("{}{:.1f} {:.1f}", pen_down ? 'L' : 'M', at, y.at(last));
    pen_down = true;
  }
  if (d.empty()) return "";
  const bool faint = curve.style == Curve::Style::kFaint;
  return fmt::format(
      "<path class=\"{}\" style=\"stroke:var(--c{})\" d=\"{}\"/>",
      faint ? "curve faint" : "curve",
      curve.colour,
      d);
}

std::string dots_of(const Marks& set,
                    double radius,
                    const Axis& x,
                    const Axis& y) {
  std::string out;
  for (const auto& [at, value] : set.points) {
    if (!std::isfinite(value)) continue;
    out += fmt::format(
        "<circle class=\"mark\" style=\"fill:var(--c{})\" cx=\"{:.1f}\" "
        "cy=\"{:.1f}\" r=\"{}\"/>",
        set.colour,
        x.at(at),
        y.at(value),
        radius);
  }
  return out;
}

}  // namespace

std::string to_svg(const Chart& whole) {
  const Chart chart = drawable(whole);
  Range xs;
  Range ys;
  for (const double v : chart.x) xs.add(v);
  for (const Curve& curve : chart.curves) {
    for (const double v : curve.y) ys.add(v);
  }
  for (const Marks& set : chart.marks) {
    for (const auto& [at, value] : set.points) {
      xs.add(at);
      ys.add(value);
    }
  }
  Axis x = chart.log_x ? log_axis(xs, 6) : axis_for(xs, false, false, 6);
  if (chart.x_title == "step") x.step = std::max(x.step, 1.0);
  x.from = kLeft;
  x.to = kWidth - kRight;
  Axis y =
      chart.log_y ? log_axis(ys, 5) : axis_for(ys, chart.from_zero, true, 5);
  y.from = kHeight - kBottom;
  y.to = kTop;

  std::string out = fmt::format(
      "<svg class=\"static\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"{}\">{}",
      kWidth,
      kHeight,
      html(describe(whole)),
      grid(x, y, chart.unit));
  for (const Curve& curve : chart.curves) out += path_of(chart, curve, x, y);
  // Two splits are often evaluated at one step: the first is the larger dot.
  double radius = 6;
  for (const Marks& set : chart.marks) {
    out += dots_of(set, set.radius > 0 ? set.radius : radius, x, y);
    radius = 4;
  }
  return out + "</svg>";
}

std::string to_svg(const TimeSplit& split) {
  constexpr double kBar = 44;
  double total = 0;
  for (const auto& [name, seconds] : split) total += seconds;
  std::string out = fmt::format(
      "<svg class=\"static\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"{}\">",
      kWidth,
      kBar,
      html(describe(split)));
  double at = 0;
  int colour = 0;
  for (const auto& [name, seconds] : split) {
    const double width = total > 0 ? seconds / total * kWidth : 0;
    out += fmt::format(
        "<rect style=\"fill:var(--c{})\" x=\"{:.2f}\" y=\"8\" "
        "width=\"{:.2f}\" height=\"28\"><title>{}</title></rect>",
        colour++,
        at,
        width,
        html(name + " " + figure(seconds, Unit::kSeconds)));
    at += width;
  }
  return out + "</svg>";
}

}  // namespace kexue::report
