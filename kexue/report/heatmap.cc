#include "kexue/report/heatmap.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kexue/report/html.h"

namespace kexue::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kWidth = 520;
constexpr double kHeight = 280;
constexpr double kLeft = 110;
constexpr double kTop = 44;
constexpr size_t kLabelled = 12;  // more classes: no numbers in the cells
constexpr size_t kNameBytes = 14;

int64_t sum_of_row(const Heatmap& map, size_t row) {
  int64_t sum = 0;
  for (size_t c = 0; c < map.names.size(); ++c) {
    sum += map.counts[row * map.names.size() + c];
  }
  return sum;
}

double share(const Heatmap& map, size_t row, size_t column) {
  const int64_t sum = sum_of_row(map, row);
  return sum == 0 ? 0
                  : static_cast<double>(
                        map.counts[row * map.names.size() + column]) /
                        static_cast<double>(sum);
}

std::string shortened(const std::string& name) {
  if (name.size() <= kNameBytes) return name;
  size_t end = kNameBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) {
    --end;
  }
  return name.substr(0, end) + "..";
}

}  // namespace

std::string describe(const Heatmap& map) {
  std::string out = fmt::format("{}: {} in rows, {} in columns.",
                                map.title,
                                map.row_title,
                                map.column_title);
  const size_t n = map.names.size();
  for (size_t r = 0; r < std::min(n, kLabelled); ++r) {
    out += fmt::format(" {}: {} of {} on the diagonal.",
                       map.names[r],
                       map.counts[r * n + r],
                       sum_of_row(map, r));
  }
  return out;
}

std::string to_svg(const Heatmap& map) {
  const size_t n = map.names.size();
  const double cell_w = (kWidth - kLeft) / static_cast<double>(n);
  const double cell_h = (kHeight - kTop) / static_cast<double>(n);
  std::string out = fmt::format(
      "<svg class=\"static\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"{}\">"
      "<text x=\"{:.0f}\" y=\"12\" text-anchor=\"middle\">{}</text>"
      "<text x=\"0\" y=\"{:.0f}\">{}</text>",
      kWidth,
      kHeight,
      html(describe(map)),
      (kLeft + kWidth) / 2,
      html(map.column_title),
      kTop - 6,
      html(map.row_title));
  for (size_t r = 0; r < n; ++r) {
    const double y = kTop + static_cast<double>(r) * cell_h;
    if (n <= kLabelled) {
      const double x = kLeft + (static_cast<double>(r) + 0.5) * cell_w;
      out += fmt::format(
          "<text x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"middle\">{}</text>"
          "<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
          x,
          kTop - 6,
          html(shortened(map.names[r])),
          kLeft - 8,
          y + cell_h / 2 + 4,
          html(shortened(map.names[r])));
    }
    for (size_t c = 0; c < n; ++c) {
      const double x = kLeft + static_cast<double>(c) * cell_w;
      out += fmt::format(
          "<rect class=\"cell\" style=\"fill-opacity:{:.3f}\" x=\"{:.1f}\" "
          "y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
          0.04 + 0.96 * share(map, r, c),
          x,
          y,
          cell_w - 1,
          cell_h - 1);
      if (n > kLabelled) continue;
      out += fmt::format(
          "<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" "
          "text-anchor=\"middle\">{}</text>",
          share(map, r, c) > 0.5 ? "on-dark" : "on-light",
          x + cell_w / 2,
          y + cell_h / 2 + 4,
          grouped(map.counts[r * n + c]));
    }
  }
  return out + "</svg>";
}

std::string to_vega(const Heatmap& map) {
  const size_t n = map.names.size();
  Json values = Json::array();
  for (size_t r = 0; r < n; ++r) {
    for (size_t c = 0; c < n; ++c) {
      values.push_back({{"row", map.names[r]},
                        {"column", map.names[c]},
                        {"count", map.counts[r * n + c]},
                        {"share", share(map, r, c)}});
    }
  }
  const auto axis = [&](const char* field, const std::string& title) -> Json {
    return {{"field", field},
            {"type", "nominal"},
            {"title", title},
            {"sort", map.names},
            {"axis",
             {{"labelAngle", 0},
              {"labelLimit", 100},
              {"labelOverlap", true},
              {"grid", false},
              {"ticks", false},
              {"orient", field == std::string("row") ? "left" : "top"}}}};
  };
  const Json encoding = {{"x", axis("column", map.column_title)},
                         {"y", axis("row", map.row_title)}};
  const Json tooltip = {
      {{"field", "row"}, {"title", map.row_title}},
      {{"field", "column"}, {"title", map.column_title}},
      {{"field", "count"}, {"title", "rows"}, {"type", "quantitative"}},
      {{"field", "share"},
       {"title", "share of the row"},
       {"type", "quantitative"},
       {"format", ".1%"}}};
  const Json opacity = {{"field", "share"},
                        {"type", "quantitative"},
                        {"legend", nullptr},
                        {"scale", {{"domain", {0, 1}}, {"range", {0.04, 1}}}}};
  Json rect = {{"mark", {{"type", "rect"}}},
               {"encoding",
                {{"color", {{"value", "@c0"}}},
                 {"fillOpacity", opacity},
                 {"tooltip", tooltip}}}};
  Json layers = Json::array({rect});
  if (n <= kLabelled) {
    layers.push_back(
        {{"mark", {{"type", "text"}, {"fontSize", 13}, {"fontWeight", 600}}},
         {"encoding",
          {{"text",
            {{"field", "count"}, {"type", "quantitative"}, {"format", ","}}},
           {"color",
            {{"condition", {{"test", "datum.share > 0.5"}, {"value", "@card"}}},
             {"value", "@text"}}}}}});
  }
  const Json spec = {
      {"$schema", "https://vega.github.io/schema/vega-lite/v6.json"},
      {"description", describe(map)},
      {"width", "container"},
      {"height", 230},
      {"data", {{"values", values}}},
      {"encoding", encoding},
      {"layer", layers}};
  return spec.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string to_table(const Heatmap& map) {
  const size_t n = map.names.size();
  std::string out =
      fmt::format("<table class=\"numbers\"><thead><tr><th>{} \\ {}</th>",
                  html(map.row_title),
                  html(map.column_title));
  for (const auto& name : map.names) out += "<th>" + html(name) + "</th>";
  out += "<th>right</th></tr></thead><tbody>";
  for (size_t r = 0; r < n; ++r) {
    out += "<tr><th scope=\"row\">" + html(map.names[r]) + "</th>";
    for (size_t c = 0; c < n; ++c) {
      out += "<td>" + grouped(map.counts[r * n + c]) + "</td>";
    }
    out += "<td>" + figure(share(map, r, r), Unit::kPercent) + "</td></tr>";
  }
  return out + "</tbody></table>";
}

std::string figure_html(const Heatmap& map) {
  return fmt::format(
      "<figure><figcaption>{} <small>rows: {}, columns: {}</small>"
      "</figcaption>{}<div class=\"live\" id=\"{}\"></div><details><summary>as "
      "a table</summary>{}</details></figure>\n",
      html(map.title),
      html(map.row_title),
      html(map.column_title),
      to_svg(map),
      map.id,
      to_table(map));
}

}  // namespace kexue::report
