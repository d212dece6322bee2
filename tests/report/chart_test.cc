#include "kexue/report/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace kexue::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Chart saw(size_t n) {
  Chart chart{.id = "c", .title = "Saw"};
  Curve raw{.name = "raw", .style = Curve::Style::kFaint};
  for (size_t i = 0; i < n; ++i) {
    chart.x.push_back(static_cast<double>(i + 1));
    raw.y.push_back(static_cast<double>(i % 7));
  }
  chart.curves = {raw, {.name = "smoothed", .y = smooth(raw.y, 10)}};
  return chart;
}

TEST(Chart, ThinningKeepsSpikesAndEnds) {
  Chart chart = saw(100'000);
  chart.curves[0].y[77'777] = 1000;
  chart.curves[0].y[33'333] = -1000;
  const Chart thin = thinned(chart);
  EXPECT_LE(thin.x.size(), kMaxPoints);
  EXPECT_GT(thin.x.size(), kMaxPoints / 2);
  EXPECT_EQ(thin.x.front(), 1);
  EXPECT_EQ(thin.x.back(), 100'000);
  EXPECT_TRUE(std::is_sorted(thin.x.begin(), thin.x.end()));
  const auto& y = thin.curves[0].y;
  EXPECT_EQ(*std::max_element(y.begin(), y.end()), 1000);
  EXPECT_EQ(*std::min_element(y.begin(), y.end()), -1000);
  EXPECT_EQ(thin.curves[1].y.size(), thin.x.size());
}

TEST(Chart, ShortRunsAreNotThinned) {
  EXPECT_EQ(thinned(saw(kMaxPoints)).x.size(), kMaxPoints);
  EXPECT_EQ(thinned(saw(1)).x.size(), 1u);
  EXPECT_LE(thinned(saw(kMaxPoints + 1)).x.size(), kMaxPoints);
}

TEST(Chart, ThinningPassesOverGaps) {
  Chart chart = saw(10'000);
  for (size_t i = 0; i < 9'000; ++i) chart.curves[0].y[i] = std::nan("");
  chart.curves[0].y[4'500] = 3;
  const auto y = thinned(chart).curves[0].y;
  EXPECT_EQ(std::count(y.begin(), y.begin() + 1'000, 3.0), 1);
}

TEST(Chart, SmoothingKeepsAConstantAndPassesOverNaN) {
  const double nan = std::nan("");
  const auto y = smooth({nan, 2, 2, nan, INFINITY, 2}, 5);
  EXPECT_TRUE(std::isnan(y[0]));
  for (size_t i = 1; i < y.size(); ++i) EXPECT_DOUBLE_EQ(y[i], 2);
}

TEST(Chart, SvgBreaksTheLineAtGaps) {
  Chart chart = saw(6);
  chart.curves.resize(1);
  chart.curves[0].y[3] = std::nan("");
  const std::string svg = to_svg(chart);
  const size_t from = svg.find(" d=\"");
  const std::string d = svg.substr(from, svg.find('"', from + 4) - from);
  EXPECT_EQ(std::count(d.begin(), d.end(), 'M'), 2);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(Chart, OddValuesStillGiveAnAxis) {
  for (const std::vector<double>& y : {std::vector<double>{},
                                       {5},
                                       {0, 0},
                                       {-3, -3},
                                       {1e-300, 2e-300},
                                       {0.75, std::nextafter(0.75, 1)},
                                       {1e300, 1.1e300}}) {
    for (const bool from_zero : {true, false}) {
      Chart chart{.id = "c", .title = "t", .from_zero = from_zero};
      for (size_t i = 0; i < y.size(); ++i) {
        chart.x.push_back(static_cast<double>(i));
      }
      chart.curves = {{.name = "y", .y = y}};
      const std::string svg = to_svg(chart);
      EXPECT_THAT(svg, Not(HasSubstr("nan")));
      EXPECT_THAT(svg, Not(HasSubstr("inf")));
      EXPECT_LT(svg.size(), 20'000u);
    }
  }
}

TEST(Chart, VegaSpecHoldsEveryCurveAndMark) {
  Chart chart = saw(3);
  chart.curves[0].y[1] = std::nan("");
  chart.marks = {{.name = "dev", .colour = 1, .points = {{3, 0.25}}}};
  const auto spec = nlohmann::json::parse(to_vega(chart));
  EXPECT_THAT(spec["$schema"], HasSubstr("vega-lite/v6"));
  ASSERT_EQ(spec["data"]["values"].size(), 3u);
  EXPECT_TRUE(spec["data"]["values"][1]["y0"].is_null());
  EXPECT_EQ(spec["layer"].size(), 4u);  // two curves, hover, dev
  const auto& dev = spec["layer"][3];
  EXPECT_EQ(dev["data"]["values"][0]["y"], 0.25);
  EXPECT_EQ(dev["encoding"]["color"]["scale"]["domain"],
            (nlohmann::json{"raw", "smoothed", "dev"}));
}

TEST(Html, TextIsEscapedAndRepaired) {
  EXPECT_EQ(html("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(html(std::string("a\0b\x01\xff", 5)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(html("\xE5\xA5\xBD"), "\xE5\xA5\xBD");
}

TEST(Html, ScriptsCannotBeClosedFromInside) {
  EXPECT_EQ(script_json("[\"</script><!--\"]"),
            "[\"\\u003c/script\\u003e\\u003c!--\"]");
  EXPECT_EQ(script_source("x='</script>';\n//# sourceMappingURL=a.map"),
            "x='<\\/script>';");
}

TEST(Html, FiguresReadWell) {
  EXPECT_EQ(figure(0.8774, Unit::kPercent), "87.7 %");
  EXPECT_EQ(figure(754.2, Unit::kSeconds), "12 min 34 s");
  EXPECT_EQ(figure(59.99, Unit::kSeconds), "1 min 0 s");
  EXPECT_EQ(figure(3725, Unit::kSeconds), "1 h 2 min");
  EXPECT_EQ(figure(0.0123, Unit::kSeconds), "12.3 ms");
  EXPECT_EQ(figure(1746, Unit::kRate), "1746");
  EXPECT_EQ(figure(123'456, Unit::kRate), "123.5k");
  EXPECT_EQ(figure(std::nan(""), Unit::kNumber), "-");
  EXPECT_EQ(grouped(17361), "17,361");
  EXPECT_EQ(grouped(-1000), "-1,000");
  EXPECT_EQ(grouped(999), "999");
}

}  // namespace
}  // namespace kexue::report
