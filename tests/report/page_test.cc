#include "kexue/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace kexue::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Chart power_law() {
  Chart chart{
      .id = "x", .title = "Cost", .x_title = "n", .log_x = true, .log_y = true};
  for (int e = 2; e <= 6; ++e) chart.x.push_back(std::pow(10, e));
  Curve curve{.name = "root"};
  for (const double x : chart.x) curve.y.push_back(std::sqrt(x));
  chart.curves.push_back(curve);
  return chart;
}

TEST(Page, PartsStandInTheirOrderAndAreEscaped) {
  Page page("a & b");
  page.heading("<one>");
  page.table({.columns = {"k", "v"}, .rows = {{"<x>", "1"}, {"short"}}});
  page.bars({.title = "B", .unit = "s", .rows = {{"half", 1}, {"all", 2}}});
  page.warning("careful");
  const std::string html = page.html();
  EXPECT_THAT(html, HasSubstr("<title>a &amp; b - kexue"));
  EXPECT_THAT(html, HasSubstr("&lt;x&gt;"));
  EXPECT_LT(html.find("&lt;one&gt;"), html.find("&lt;x&gt;"));
  EXPECT_LT(html.find("&lt;x&gt;"), html.find("width:50.0%"));
  EXPECT_LT(html.find("width:50.0%"), html.find("careful"));
  // Without charts no script is needed.
  EXPECT_THAT(html, Not(HasSubstr("<script")));
}

TEST(Page, ChartsGetIdsOfTheirOwn) {
  Page page("p");
  page.chart(power_law());
  Page other("o");
  other.chart(power_law());
  page.append(other);
  const std::string html = page.html();
  EXPECT_THAT(html, HasSubstr("id=\"chart-0\""));
  EXPECT_THAT(html, HasSubstr("id=\"chart-1\""));
  EXPECT_THAT(html, Not(HasSubstr("id=\"x\"")));
}

TEST(Chart, LogarithmicAxesDrawAPowerAsALine) {
  const std::string svg = to_svg(power_law());
  // Ticks at powers of ten, and equal steps along the path.
  EXPECT_THAT(svg, HasSubstr(">100</text>"));
  EXPECT_THAT(svg, HasSubstr(">1e+06</text>"));
  const auto spec = nlohmann::json::parse(to_vega(power_law()));
  const auto& layer = spec.at("layer").at(0).at("encoding");
  EXPECT_EQ(layer.at("x").at("scale").at("type"), "log");
  EXPECT_EQ(layer.at("y").at("scale").at("type"), "log");
  EXPECT_EQ(layer.at("x").at("title"), "n");
  EXPECT_THAT(describe(power_law()), HasSubstr("over n 100 to 1e+06"));
  EXPECT_THAT(to_table(power_law()), HasSubstr("<th>n</th>"));
}

TEST(Chart, ZeroHasNoPlaceOnALogarithmicAxis) {
  Chart chart = power_law();
  chart.x[0] = 0;
  chart.curves[0].y[1] = 0;
  const std::string svg = to_svg(chart);
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace kexue::report
