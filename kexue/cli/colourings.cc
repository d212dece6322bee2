// kexue colourings FIGURE.json | --preset | --chain | --ring | --grid.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/printable.h"
#include "kexue/report/page.h"
#include "kexue/science/colouring.h"
#include "kexue/science/cross_split.h"

namespace kexue::cli {
namespace {

using science::ColouringProblem;
using science::Engine;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kFigureBytes = uint64_t{1} << 22;
// All engines run by default, but for enumerations above a tenth of a second.
constexpr double kQuickBits = 28;
constexpr uint64_t kMostPicked = 1'000'000;

[[noreturn]] void refuse(const std::string& text, const std::string& hint) {
  throw Error(Code::kInvalidArgument, "colourings: " + text, hint);
}

struct Counted {
  Engine engine;
  std::string count;
  double seconds;
};

std::pair<int, int> rows_and_columns(const std::string& text) {
  int out[2] = {0, 0};
  const size_t x = text.find('x');
  const std::string_view parts[] = {std::string_view(text).substr(0, x),
                                    x == std::string::npos
                                        ? std::string_view()
                                        : std::string_view(text).substr(x + 1)};
  for (size_t i = 0; i < 2; ++i) {
    const auto [end, error] = std::from_chars(
        parts[i].data(), parts[i].data() + parts[i].size(), out[i]);
    if (error != std::errc() || end != parts[i].data() + parts[i].size() ||
        out[i] < 1 || out[i] > 64) {
      refuse(fmt::format("--grid {}, wanted ROWSxCOLUMNS, each 1 to 64",
                         io::printable(text)),
             "--grid 2x2");
    }
  }
  return {out[0], out[1]};
}

// The rule for each two squares that share a side.
void add_grid_rule(ColouringProblem& p,
                   int rows,
                   int columns,
                   const std::string& rule) {
  const science::LabelRule named = science::label_rule(rule);
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      const int own = r * columns + c;
      if (c + 1 < columns) p.constraints.push_back({{own, own + 1}, named});
      if (r + 1 < rows) p.constraints.push_back({{own, own + columns}, named});
    }
  }
}

ColouringProblem problem_of(const ColouringOptions& o) {
  ColouringProblem p;
  if (!o.figure.empty()) {
    p = science::figure_from_json(io::read_file(o.figure, kFigureBytes),
                                  o.figure);
    if (o.colours > 0) p.colours = o.colours;
    if (!o.cell_rule.empty()) p.cell_rule = science::cell_rule(o.cell_rule);
  } else {
    const int k = o.colours > 0 ? o.colours : 3;
    if (!o.preset.empty()) {
      p = science::cross(k);
    } else {
      const auto [rows, columns] = rows_and_columns(o.grid);
      p = science::grid(rows, columns, k);
      if (o.rule != "none") add_grid_rule(p, rows, columns, o.rule);
    }
    if (!o.cell_rule.empty()) p.cell_rule = science::cell_rule(o.cell_rule);
  }
  p.check(o.figure.empty() ? "figure" : o.figure);
  return p;
}

std::vector<Engine> engines_of(const ColouringOptions& o,
                               const ColouringProblem& p) {
  for (const Engine e : science::kEngines) {
    if (o.engine == to_string(e)) return {e};
  }
  std::vector<Engine> out = {Engine::kEliminate, Engine::kTransfer};
  if (science::enumeration_bits(p) <= kQuickBits) {
    out.insert(out.begin(), Engine::kEnumerate);
  }
  return out;
}

// Engines that a large figure is too much for are left out, unless none is
// left or it was asked for.
std::vector<Counted> counted_by_all(const ColouringOptions& o,
                                    const ColouringProblem& p,
                                    Console& console) {
  std::vector<Counted> out;
  const auto engines = engines_of(o, p);
  for (const Engine e : engines) {
    const auto begin = Clock::now();
    try {
      const std::string count = science::count_colourings(p, e);
      const std::chrono::duration<double> spent = Clock::now() - begin;
      out.push_back({e, count, spent.count()});
    } catch (const Error& error) {
      const bool is_last = e == engines.back() && out.empty();
      if (error.code() != Code::kUnsupported || is_last) throw;
      console.note("kexue: " + error.text());
    }
  }
  for (const Counted& c : out) {
    if (c.count == out[0].count) continue;
    throw Error(Code::kInternal,
                fmt::format("engines disagree: {} by {}, {} by {}",
                            out[0].count,
                            to_string(out[0].engine),
                            c.count,
                            to_string(c.engine)),
                "please report the figure");
  }
  return out;
}

std::string digits_of(const science::Colouring& colouring) {
  std::string out;
  for (const int c : colouring) {
    out += "0123456789abcdef"[static_cast<size_t>(c)];
  }
  return out;
}

constexpr const char* kCrossText =
    "        +-5-+\n"
    "        4   6\n"
    "    +-10+-0-+13-+\n"
    "    11  1   3  14\n"
    "    +-12+-2-+15-+\n"
    "        7   9\n"
    "        +-8-+\n";

// Why the published answers differ by a factor of two.
void print_cross(const ColouringProblem& p,
                 const std::string& count,
                 Console& console) {
  const science::CrossSplit split = science::cross_split(p);
  console.print_line(kCrossText);
  console.print_line(
      fmt::format("the centre's two equal sides adjacent: {} ({} centres), "
                  "opposite: {} ({} centres); {} + {} = {}",
                  split.adjacent,
                  split.adjacent_centres,
                  split.opposite,
                  split.opposite_centres,
                  split.adjacent,
                  split.opposite,
                  count));
  if (p.colours == 3) {
    console.print_line(
        "54432, also published, is 2 * 27216: it takes the centre's two equal "
        "sides for\ndistinguishable, 72 centres in place of 36, and so counts "
        "each colouring twice.");
  }
}

void write_picture(const ColouringOptions& o,
                   const ColouringProblem& p,
                   const std::vector<science::Colouring>& picked) {
  std::vector<science::Colouring> shown = picked;
  if (shown.empty()) shown = science::list_colourings(p, 1);
  if (shown.empty()) refuse("there is no valid colouring to draw", "");
  if (o.picture.ends_with(".svg")) {
    io::write_file(o.picture, science::colouring_svg(p, shown[0]));
    return;
  }
  report::Page page("Colourings");
  constexpr size_t kMost = 100;
  for (size_t i = 0; i < std::min(shown.size(), kMost); ++i) {
    page.picture(science::colouring_svg(p, shown[i]), digits_of(shown[i]));
  }
  io::write_file(o.picture, page.html());
}

std::vector<science::Colouring> picked_of(const ColouringOptions& o,
                                          const ColouringProblem& p) {
  const auto fits = [](int64_t n) {
    return static_cast<uint64_t>(n) <= kMostPicked;
  };
  if (!fits(o.list) || !fits(o.sample)) {
    refuse(fmt::format("at most {} colourings can be listed", kMostPicked), "");
  }
  if (o.list > 0) return science::list_colourings(p, o.list);
  if (o.sample > 0) {
    return science::sample_colourings(p, static_cast<int>(o.sample), o.seed);
  }
  return {};
}

Json seconds_of(const std::vector<Counted>& counted) {
  Json out = Json::object();
  for (const Counted& c : counted) out[to_string(c.engine)] = c.seconds;
  return out;
}

int count_figure(const ColouringOptions& o, Console& console) {
  const ColouringProblem p = problem_of(o);
  const auto counted = counted_by_all(o, p, console);
  const std::string exact = counted[0].count;
  const std::string count =
      o.modulo > 0 ? science::remainder(exact, o.modulo) : exact;
  std::string orbits;
  if (!o.orbits.empty()) {
    orbits =
        science::count_orbits(p, o.orbits != "colours", o.orbits != "segments");
  }
  const auto picked = picked_of(o, p);
  if (!o.picture.empty()) write_picture(o, p, picked);
  if (console.json()) {
    Json out = {{"count", count}, {"engines", seconds_of(counted)}};
    if (!orbits.empty()) out["orbits"] = orbits;
    if (o.list > 0 || o.sample > 0) {
      out["colourings"] = Json::array();
      for (const auto& c : picked) out["colourings"].push_back(c);
    }
    console.print_line(out.dump());
    return 0;
  }
  console.print_line(count);
  for (const Counted& c : counted) {
    console.print_line(
        fmt::format("  {:<10} {:.6f} s", to_string(c.engine), c.seconds));
  }
  if (!orbits.empty()) {
    console.print_line(fmt::format("up to {}: {}", o.orbits, orbits));
  }
  for (const auto& c : picked) console.print_line(digits_of(c));
  if (o.preset == "cross" && o.cell_rule.empty()) {
    print_cross(p, exact, console);
  }
  return 0;
}

int count_strip(const ColouringOptions& o, Console& console) {
  if (o.sample > 0 || o.list > 0 || !o.orbits.empty() || !o.picture.empty()) {
    refuse("--chain and --ring only count",
           "a figure file can be sampled, listed and drawn");
  }
  science::StripProblem p{.squares = o.chain > 0 ? o.chain : o.ring,
                          .is_ring = o.chain == 0,
                          .colours = o.colours > 0 ? o.colours : 3,
                          .window = 1};
  if (!o.cell_rule.empty()) p.cell_rule = science::cell_rule(o.cell_rule);
  if (o.rule != "none") {
    p.rule = science::label_rule(o.rule);
    p.window = o.window;
  }
  const auto begin = Clock::now();
  const std::string count = science::count_strip(p, o.modulo);
  const std::chrono::duration<double> spent = Clock::now() - begin;
  if (console.json()) {
    const Json out = {{"count", count},
                      {"engines", {{"transfer", spent.count()}}}};
    console.print_line(out.dump());
    return 0;
  }
  console.print_line(count);
  console.print_line(
      fmt::format("  {:<10} {:.6f} s", "transfer", spent.count()));
  return 0;
}

}  // namespace

int run_colourings(const ColouringOptions& o, Console& console) {
  const int subjects = (o.figure.empty() ? 0 : 1) + (o.preset.empty() ? 0 : 1) +
                       (o.chain > 0 ? 1 : 0) + (o.ring > 0 ? 1 : 0) +
                       (o.grid.empty() ? 0 : 1);
  if (subjects != 1) {
    refuse(fmt::format("got {} figures, wanted one", subjects),
           "FIGURE.json, --preset cross, --chain N, --ring N or --grid RxC");
  }
  if (o.chain > 0 || o.ring > 0) return count_strip(o, console);
  if (o.rule != "none" && o.grid.empty()) {
    refuse("--rule is for --chain, --ring and --grid",
           "a figure file has constraints of its own");
  }
  return count_figure(o, console);
}

}  // namespace kexue::cli
