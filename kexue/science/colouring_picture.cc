// Colourings as SVG.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/science/colouring.h"
#include "kexue/science/detail/colour_rules.h"

namespace kexue::science {
namespace {

// Told apart on light and dark pages, and the first by most eyes.
constexpr const char* kPalette[detail::kMaxColours] = {"#2563c9",
                                                       "#d9660a",
                                                       "#1a8a55",
                                                       "#b8327a",
                                                       "#8a6d00",
                                                       "#0f8a9d",
                                                       "#7a4fd0",
                                                       "#c0392b",
                                                       "#5b6b7a",
                                                       "#6aa84f",
                                                       "#e08283",
                                                       "#3f51b5",
                                                       "#a0522d",
                                                       "#008080",
                                                       "#d4ac0d",
                                                       "#884ea0"};
constexpr double kUnit = 60;
constexpr double kMargin = 20;

const char* colour_text(int colour) {
  return kPalette[static_cast<size_t>(colour) % detail::kMaxColours];
}

using Line = std::array<double, 4>;

std::string stroke(const Line& l, int colour) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" "
      "stroke=\"{}\" stroke-width=\"6\" stroke-linecap=\"round\"/>\n",
      l[0],
      l[1],
      l[2],
      l[3],
      colour_text(colour));
}

std::string disc(double x, double y, int label) {
  if (label < 0) {
    return fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"9\" fill=\"none\" "
        "stroke=\"#888\" stroke-dasharray=\"3 3\"/>\n",
        x,
        y);
  }
  return fmt::format(
      "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"11\" fill=\"{}\"/>"
      "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" fill=\"#fff\" "
      "font-family=\"sans-serif\" font-size=\"13\">{}</text>\n",
      x,
      y,
      colour_text(label),
      x,
      y + 4.5,
      label);
}

std::string framed(double width, double height, const std::string& body) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.1f} {:.1f}\" "
      "width=\"{:.0f}\" height=\"{:.0f}\" role=\"img\" "
      "aria-label=\"a colouring\">\n{}</svg>\n",
      width,
      height,
      width,
      height,
      body);
}

// The figure as it lies.
std::string whole(const ColouringProblem& p,
                  const Colouring& colouring,
                  const std::vector<int>& labels) {
  double low[2] = {1e300, 1e300};
  double high[2] = {-1e300, -1e300};
  for (const Line& l : p.lines) {
    for (size_t i = 0; i < 4; ++i) {
      low[i % 2] = std::min(low[i % 2], l[i]);
      high[i % 2] = std::max(high[i % 2], l[i]);
    }
  }
  const double extent = std::max({high[0] - low[0], high[1] - low[1], 1e-9});
  const double scale = std::min(kUnit, 1200 / extent);
  const auto at = [&](double v, size_t axis) {
    return (v - low[axis]) * scale + kMargin;
  };
  std::string body;
  for (size_t s = 0; s < p.lines.size(); ++s) {
    const Line& l = p.lines[s];
    body += stroke({at(l[0], 0), at(l[1], 1), at(l[2], 0), at(l[3], 1)},
                   colouring[s]);
  }
  for (size_t c = 0; c < p.cells.size(); ++c) {
    double x = 0;
    double y = 0;
    for (const int s : p.cells[c]) {
      const Line& l = p.lines[static_cast<size_t>(s)];
      x += (l[0] + l[2]) / 2;
      y += (l[1] + l[3]) / 2;
    }
    const auto n = static_cast<double>(p.cells[c].size());
    body += disc(at(x / n, 0), at(y / n, 1), labels[c]);
  }
  return framed(at(high[0], 0) + kMargin, at(high[1], 1) + kMargin, body);
}

// Each cell as a polygon with its sides in their order.
std::string apart(const ColouringProblem& p,
                  const Colouring& colouring,
                  const std::vector<int>& labels) {
  constexpr double kCell = 90;
  const auto columns = static_cast<size_t>(
      std::ceil(std::sqrt(static_cast<double>(p.cells.size()))));
  std::string body;
  for (size_t c = 0; c < p.cells.size(); ++c) {
    const double x = kCell * (0.5 + static_cast<double>(c % columns));
    const double y = kCell * (0.5 + static_cast<double>(c / columns));
    // One side or two have no polygon: spokes of a triangle then.
    const auto sides =
        static_cast<double>(std::max<size_t>(3, p.cells[c].size()));
    const double turn = 2 * std::acos(-1.0) / sides;
    for (size_t i = 0; i < p.cells[c].size(); ++i) {
      const double a = turn * static_cast<double>(i) - turn / 2;
      const int s = p.cells[c][i];
      body += stroke({x + 36 * std::sin(a),
                      y - 36 * std::cos(a),
                      x + 36 * std::sin(a + turn),
                      y - 36 * std::cos(a + turn)},
                     colouring[static_cast<size_t>(s)]);
    }
    body += disc(x, y, labels[c]);
  }
  const size_t rows = (p.cells.size() + columns - 1) / columns;
  return framed(kCell * static_cast<double>(columns),
                kCell * static_cast<double>(rows),
                body);
}

}  // namespace

std::string colouring_svg(const ColouringProblem& problem,
                          const Colouring& colouring) {
  const std::vector<int> labels = labels_of(problem, colouring);
  return problem.lines.empty() ? apart(problem, colouring, labels)
                               : whole(problem, colouring, labels);
}

}  // namespace kexue::science
