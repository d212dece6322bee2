// Charts as Vega-Lite specs.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/report/chart.h"

namespace kexue::report {
namespace {

// Keys in the order written: the page is for people, too.
using Json = nlohmann::ordered_json;

constexpr const char* kSchema =
    "https://vega.github.io/schema/vega-lite/v6.json";

// Six digits are more than a pixel shows and a third of the bytes.
Json short_number(double v) {
  if (!std::isfinite(v)) return nullptr;
  const std::string text = fmt::format("{:.6g}", v);
  double out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

// Vega-Lite pastes names into expressions and does not quote all of them.
std::string plain(const std::string& name) {
  std::string out = name;
  for (char& c : out) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == ' ' || c == '-';
    if (!is_word && static_cast<unsigned char>(c) < 0x80) c = '_';
  }
  return out;
}

const char* format_of(Unit unit) {
  switch (unit) {
    case Unit::kPercent:
      return ".1%";
    case Unit::kRate:
      return ".3~s";
    case Unit::kSmall:
      return ".3~e";
    case Unit::kSeconds:
    case Unit::kNumber:
      break;
  }
  return ".4~g";
}

// An expression, because a format alone writes 0.5k and 0e+0.
std::string axis_label(Unit unit) {
  const char* format = "~g";
  if (unit == Unit::kPercent) format = "~%";
  if (unit == Unit::kRate) format = "~s";
  if (unit == Unit::kSmall) format = "~e";
  return fmt::format("datum.value === 0 ? '0' : format(datum.value, '{}')",
                     format);
}

std::string column(size_t curve) {
  return fmt::format("y{}", curve);
}

Json values_of(const Chart& chart) {
  Json values = Json::array();
  for (size_t i = 0; i < chart.x.size(); ++i) {
    Json row = {{"x", short_number(chart.x[i])}};
    for (size_t c = 0; c < chart.curves.size(); ++c) {
      row[column(c)] = short_number(chart.curves[c].y[i]);
    }
    values.push_back(std::move(row));
  }
  return values;
}

// One scale for all layers: the names in the legend, each with its colour.
Json colour_scale(const Chart& chart) {
  Json domain = Json::array();
  Json range = Json::array();
  const auto add = [&](const std::string& name, int colour, bool faint) {
    domain.push_back(plain(name));
    range.push_back(fmt::format("@c{}{}", colour, faint ? "-faint" : ""));
  };
  for (const Curve& c : chart.curves) {
    add(c.name, c.colour, c.style == Curve::Style::kFaint);
  }
  for (const Marks& m : chart.marks) add(m.name, m.colour, false);
  return {{"domain", domain}, {"range", range}};
}

Json x_of(const Chart& chart) {
  Json scale = {{"nice", false}, {"zero", false}};
  if (chart.log_x) scale = {{"type", "log"}, {"nice", true}};
  const bool is_step = chart.x_title == "step";
  if (!chart.x.empty() && !chart.log_x) {
    double high = chart.x.back();
    double low = chart.x.front();
    for (const Marks& set : chart.marks) {
      for (const auto& [at, value] : set.points) {
        high = std::max(high, at);
        low = std::min(low, at);
      }
    }
    if (is_step) high = std::max(high, low + 1);
    if (high > low) scale["domain"] = {low, high};
  }
  Json axis = {{"grid", false},
               {"format", is_step ? "d" : "~g"},
               {"tickCount", 6},
               {"labelOverlap", true}};
  if (is_step) axis["tickMinStep"] = 1;
  return {{"field", "x"},
          {"type", "quantitative"},
          {"title", plain(chart.x_title)},
          {"scale", scale},
          {"axis", axis}};
}

Json y_of(const Chart& chart, const std::string& field) {
  Json scale = {{"zero", chart.from_zero}, {"nice", true}};
  if (chart.log_y) scale = {{"type", "log"}, {"nice", true}};
  return {{"field", field},
          {"type", "quantitative"},
          {"title", nullptr},
          {"scale", scale},
          {"axis", {{"labelExpr", axis_label(chart.unit)}, {"tickCount", 6}}}};
}

Json colour_of(const std::string& name, const Json& scale, bool legend) {
  Json out = {{"datum", plain(name)}, {"scale", scale}, {"title", nullptr}};
  if (!legend) out["legend"] = nullptr;
  return out;
}

Json curve_layer(const Chart& chart, size_t c, const Json& scale, bool legend) {
  const Curve& curve = chart.curves[c];
  Json mark = {{"type", "line"},
               {"clip", true},
               {"strokeWidth", curve.style == Curve::Style::kFaint ? 1 : 2}};
  if (curve.style == Curve::Style::kStep) mark["interpolate"] = "step-after";
  return {{"mark", mark},
          {"encoding",
           {{"x", x_of(chart)},
            {"y", y_of(chart, column(c))},
            {"color", colour_of(curve.name, scale, legend)}}}};
}

Json x_tooltip(const Chart& chart) {
  return {{"field", "x"},
          {"title", plain(chart.x_title)},
          {"format", chart.x_title == "step" ? "d" : ".6~g"},
          {"type", "quantitative"}};
}

// A rule at the step next to the pointer, with all values of that step.
Json hover_layer(const Chart& chart) {
  Json tooltip = Json::array();
  tooltip.push_back(x_tooltip(chart));
  for (size_t c = 0; c < chart.curves.size(); ++c) {
    tooltip.push_back({{"field", column(c)},
                       {"title", plain(chart.curves[c].name)},
                       {"format", format_of(chart.unit)},
                       {"type", "quantitative"}});
  }
  const Json select = {{"type", "point"},
                       {"on", "pointerover"},
                       {"clear", "pointerout"},
                       {"encodings", {"x"}},
                       {"nearest", true}};
  return {
      {"params", {{{"name", "hover"}, {"select", select}}}},
      {"mark", {{"type", "rule"}, {"strokeWidth", 1}}},
      {"encoding",
       {{"x", x_of(chart)},
        {"opacity",
         {{"condition", {{"param", "hover"}, {"empty", false}, {"value", 0.5}}},
          {"value", 0}}},
        {"tooltip", tooltip}}}};
}

// Two splits are often evaluated at one step: the first is the larger dot.
double mark_size(const Marks& set, size_t index) {
  if (set.radius > 0) return 4 * set.radius * set.radius;
  return index == 0 ? 110 : 50;
}

Json marks_layer(const Chart& chart,
                 size_t index,
                 const Json& scale,
                 bool legend) {
  const Marks& set = chart.marks[index];
  Json values = Json::array();
  for (const auto& [at, value] : set.points) {
    values.push_back({{"x", short_number(at)}, {"y", short_number(value)}});
  }
  const Json tooltip = {x_tooltip(chart),
                        {{"field", "y"},
                         {"title", plain(set.name)},
                         {"format", format_of(chart.unit)}}};
  return {{"data", {{"values", values}}},
          {"mark",
           {{"type", "point"},
            {"filled", true},
            {"size", mark_size(set, index)},
            {"opacity", set.radius > 0 ? 0.6 : 1}}},
          {"encoding",
           {{"x", x_of(chart)},
            {"y", y_of(chart, "y")},
            {"color", colour_of(set.name, scale, legend)},
            {"tooltip", tooltip}}}};
}

Json frame(const std::string& description, int height) {
  return {{"$schema", kSchema},
          {"description", description},
          {"width", "container"},
          {"height", height}};
}

std::string ascii(const Json& json) {
  return json.dump(-1, ' ', true);
}

}  // namespace

std::string to_vega(const Chart& chart) {
  const Json scale = colour_scale(chart);
  const bool legend = chart.curves.size() + chart.marks.size() > 1;
  Json layers = Json::array();
  for (size_t c = 0; c < chart.curves.size(); ++c) {
    layers.push_back(curve_layer(chart, c, scale, legend));
  }
  if (!chart.curves.empty()) layers.push_back(hover_layer(chart));
  for (size_t m = 0; m < chart.marks.size(); ++m) {
    layers.push_back(marks_layer(chart, m, scale, legend));
  }
  Json spec = frame(describe(chart), 230);
  spec["data"] = {{"values", values_of(chart)}};
  spec["layer"] = std::move(layers);
  return ascii(spec);
}

std::string to_vega(const TimeSplit& split) {
  Json values = Json::array();
  Json domain = Json::array();
  Json range = Json::array();
  for (const auto& [name, seconds] : split) {
    range.push_back(fmt::format("@c{}", domain.size()));
    values.push_back({{"part", name},
                      {"order", domain.size()},
                      {"s", short_number(seconds)},
                      {"text", figure(seconds, Unit::kSeconds)}});
    domain.push_back(name);
  }
  Json spec = frame(describe(split), 34);
  spec["data"] = {{"values", values}};
  spec["mark"] = {{"type", "bar"}, {"height", 28}};
  spec["encoding"] = {{"x",
                       {{"field", "s"},
                        {"type", "quantitative"},
                        {"stack", "normalize"},
                        {"axis", nullptr}}},
                      {"order", {{"field", "order"}, {"type", "quantitative"}}},
                      {"color",
                       {{"field", "part"},
                        {"type", "nominal"},
                        {"scale", {{"domain", domain}, {"range", range}}},
                        {"legend", nullptr}}},
                      {"tooltip",
                       {{{"field", "part"}, {"title", "part"}},
                        {{"field", "text"}, {"title", "time"}}}}};
  return ascii(spec);
}

}  // namespace kexue::report
