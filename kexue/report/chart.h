// A chart as data, drawn as SVG and as a Vega-Lite spec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kexue/report/html.h"

namespace kexue::report {

inline constexpr size_t kMaxPoints = 2000;

// One value per x of the chart; NaN leaves a gap.
struct Curve {
  enum class Style { kFaint, kLine, kStep };
  std::string name;
  Style style = Style::kLine;
  int colour = 0;  // the page's colour variable --cN
  std::vector<double> y = {};
};

// Single points with x of their own: evaluations.
struct Marks {
  std::string name;
  int colour = 0;
  std::vector<std::pair<double, double>> points = {};
  double radius = 0;  // of a dot; 0: the first set's are larger
};

struct Chart {
  std::string id;            // of the element on the page: [a-z-]+
  std::string title;         // "Loss"
  std::string y_title = {};  // beside the title
  Unit unit = Unit::kNumber;
  bool from_zero = true;         // the y axis starts at 0, unless it is log_y
  std::string x_title = "step";  // "step": whole numbers
  bool log_x = false;            // of positive numbers
  bool log_y = false;
  std::vector<double> x = {};  // steps, rising
  std::vector<Curve> curves = {};
  std::vector<Marks> marks = {};

  bool has_values() const;  // any finite y
};

// Mean of the past with exponentially falling weights, the last `window` steps
// weighing 63 %. Corrected at the start, so that the first value is y[0]; NaN
// is passed over.
std::vector<double> smooth(const std::vector<double>& y, double window);

// At most kMaxPoints x: of each stretch the places where the first curve is
// lowest and highest, so that no spike gets lost; first and last x stay.
Chart thinned(Chart chart);

// What the chart shows, in words: "Loss over steps 1 to 868. ...".
std::string describe(const Chart& chart);
// A line chart that needs no script; colours are the page's CSS variables.
std::string to_svg(const Chart& chart);
// A Vega-Lite 6 spec as ASCII JSON. "@name" in a colour range stands for the
// page's CSS variable --name.
std::string to_vega(const Chart& chart);
// Some twenty steps as an HTML table.
std::string to_table(const Chart& chart);

// Seconds by what they were spent on.
using TimeSplit = std::vector<std::pair<std::string, double>>;
std::string describe(const TimeSplit& split);
std::string to_svg(const TimeSplit& split);
std::string to_vega(const TimeSplit& split);
std::string to_table(const TimeSplit& split);

}  // namespace kexue::report
