// Figure files.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/base/error.h"
#include "kexue/io/json.h"
#include "kexue/io/printable.h"
#include "kexue/science/colouring.h"

namespace kexue::science {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxBytes = uint64_t{1} << 22;

// Reads values and names the place of a wrong one.
class Reader final {
 public:
  explicit Reader(const std::string& where) : where_(where) {}

  [[noreturn]] void fail(const std::string& place,
                         const std::string& wanted,
                         const Json& got) const {
    // Only the kind of long values is shown.
    std::string shown = got.type_name();
    if (got.is_number() || got.is_string()) shown = io::ascii(got.dump(), 40);
    throw Error(
        Code::kInvalidArgument,
        fmt::format("{}: {}: got {}, wanted {}", where_, place, shown, wanted));
  }

  int whole(const Json& json, const std::string& place) const {
    if (!json.is_number_integer() || json.is_number_float()) {
      fail(place, "a whole number", json);
    }
    const bool too_large = json.is_number_unsigned()
                               ? json.get<uint64_t>() > 1'000'000
                               : json.get<int64_t>() < -1'000'000;
    if (too_large) fail(place, "a smaller number", json);
    return json.get<int>();
  }

  std::vector<int> wholes(const Json& json, const std::string& place) const {
    const Json& list = array(json, place);
    std::vector<int> out;
    for (size_t i = 0; i < list.size(); ++i) {
      out.push_back(whole(list[i], fmt::format("{}[{}]", place, i)));
    }
    return out;
  }

  std::vector<std::vector<int>> lists(const Json& json,
                                      const std::string& place) const {
    const Json& list = array(json, place);
    std::vector<std::vector<int>> out;
    for (size_t i = 0; i < list.size(); ++i) {
      out.push_back(wholes(list[i], fmt::format("{}[{}]", place, i)));
    }
    return out;
  }

  const Json& array(const Json& json, const std::string& place) const {
    if (!json.is_array()) fail(place, "a list", json);
    return json;
  }

  std::string text(const Json& json, const std::string& place) const {
    if (!json.is_string()) fail(place, "text", json);
    return json.get<std::string>();
  }

  // Errors of names get the place.
  template <class F>
  auto placed(const std::string& place, F&& f) const {
    try {
      return f();
    } catch (const Error& e) {
      throw Error(e.code(),
                  fmt::format("{}: {}: {}", where_, place, e.text()),
                  e.hint());
    }
  }

  // Unknown keys are refused: they may be misspelt.
  void keys(const Json& json,
            const std::string& place,
            const std::vector<std::string>& known) const {
    if (!json.is_object()) fail(place, "an object", json);
    for (const auto& [key, value] : json.items()) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      throw Error(
          Code::kInvalidArgument,
          fmt::format(
              "{}: {}: unknown key \"{}\"", where_, place, io::printable(key)),
          fmt::format("known are {}", fmt::join(known, ", ")));
    }
  }

  const Json& needed(const Json& json, const char* key) const {
    if (json.contains(key)) return json.at(key);
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: the key \"{}\" is missing", where_, key));
  }

 private:
  const std::string& where_;
};

std::vector<CellConstraint> constraints_of(const Reader& reader,
                                           const Json& json) {
  const Json& list = reader.array(json, "constraints");
  std::vector<CellConstraint> out;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string place = fmt::format("constraints[{}]", i);
    reader.keys(list[i], place, {"cells", "rule"});
    for (const char* key : {"cells", "rule"}) {
      if (!list[i].contains(key)) {
        reader.fail(place, fmt::format("a key \"{}\"", key), list[i]);
      }
    }
    CellConstraint c;
    c.cells = reader.wholes(list[i].at("cells"), place + ".cells");
    const std::string at = place + ".rule";
    const std::string name = reader.text(list[i].at("rule"), at);
    c.rule = reader.placed(at, [&] { return label_rule(name); });
    out.push_back(std::move(c));
  }
  return out;
}

std::vector<std::array<double, 4>> lines_of(const Reader& reader,
                                            const Json& json) {
  const Json& list = reader.array(json, "lines");
  std::vector<std::array<double, 4>> out;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string place = fmt::format("lines[{}]", i);
    const Json& line = reader.array(list[i], place);
    if (line.size() != 4) reader.fail(place, "x1, y1, x2, y2", line);
    std::array<double, 4> numbers = {};
    for (size_t j = 0; j < 4; ++j) {
      if (!line[j].is_number() || std::abs(line[j].get<double>()) > 1e6) {
        reader.fail(place, "numbers up to 1e6", line[j]);
      }
      numbers[j] = line[j].get<double>();
    }
    out.push_back(numbers);
  }
  return out;
}

}  // namespace

ColouringProblem figure_from_json(std::string_view text,
                                  const std::string& where) {
  const Json json =
      io::parse_json(text, where, {.max_bytes = kMaxBytes, .max_depth = 8});
  const Reader reader(where);
  reader.keys(json,
              "the figure",
              {"segments",
               "colours",
               "cells",
               "cell_rule",
               "constraints",
               "symmetries",
               "lines"});
  ColouringProblem out;
  out.segments = reader.whole(reader.needed(json, "segments"), "segments");
  out.colours = reader.whole(reader.needed(json, "colours"), "colours");
  out.cells = reader.lists(reader.needed(json, "cells"), "cells");
  if (json.contains("cell_rule")) {
    const std::string name = reader.text(json.at("cell_rule"), "cell_rule");
    out.cell_rule = reader.placed("cell_rule", [&] { return cell_rule(name); });
  }
  if (json.contains("constraints")) {
    out.constraints = constraints_of(reader, json.at("constraints"));
  }
  if (json.contains("symmetries")) {
    out.symmetries = reader.lists(json.at("symmetries"), "symmetries");
  }
  if (json.contains("lines")) out.lines = lines_of(reader, json.at("lines"));
  out.check(where);
  return out;
}

}  // namespace kexue::science
