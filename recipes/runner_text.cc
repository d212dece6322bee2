// Recipes and their results as JSON, as text and as a page.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "recipes/runner.h"

namespace kexue::recipes {
namespace {

using Json = nlohmann::ordered_json;

const char* symbol(Bound bound) {
  switch (bound) {
    case Bound::kAtLeast:
      return ">= ";
    case Bound::kAtMost:
      return "<= ";
    case Bound::kNear:
      break;
  }
  return "";
}

const char* word(Bound bound) {
  switch (bound) {
    case Bound::kAtLeast:
      return "at_least";
    case Bound::kAtMost:
      return "at_most";
    case Bound::kNear:
      break;
  }
  return "near";
}

// Whole numbers in full, others with seven digits.
std::string number(double v) {
  if (std::isfinite(v) && v == std::floor(v) && std::abs(v) < 1e15) {
    return fmt::format("{:.0f}", v);
  }
  return fmt::format("{:.7g}", v);
}

std::string wanted(const Expected& e) {
  if (!e.exact.empty()) return e.exact;
  std::string out = symbol(e.bound) + number(e.value);
  if (e.tolerance > 0) {
    out += fmt::format(
        " {} {}", e.bound == Bound::kNear ? "+-" : "with", number(e.tolerance));
  }
  return out;
}

std::string got(const Check& check) {
  if (!check.texts.empty()) {
    for (const std::string& text : check.texts) {
      if (text != check.expected.exact) return text;
    }
    return check.texts.front();
  }
  if (check.numbers.empty()) return "not measured";
  std::string out = number(check.mean());
  if (check.numbers.size() > 1) {
    out += fmt::format(" (deviation {})", number(check.deviation()));
  }
  return out;
}

Json finite(double v) {
  return std::isfinite(v) ? Json(v) : Json(nullptr);
}

Json fields_of(const Expected& e) {
  Json out;
  out["name"] = e.name;
  if (e.exact.empty()) {
    out["expected"] = e.value;
    out["tolerance"] = e.tolerance;
    out["bound"] = word(e.bound);
  } else {
    out["expected"] = e.exact;
    out["tolerance"] = 0;
    out["bound"] = "equal";
  }
  out["source"] = e.source;
  return out;
}

Json json_of(const Check& check) {
  const Expected& e = check.expected;
  Json out;
  out["name"] = e.name;
  if (!check.texts.empty()) {
    out["value"] = got(check);
  } else {
    out["value"] = finite(check.mean());
  }
  const Json fields = fields_of(e);
  for (const auto& [key, value] : fields.items()) {
    if (key != "name") out[key] = value;
  }
  out["passed"] = check.passed;
  if (check.numbers.size() > 1) {
    out["values"] = Json::array();
    for (const double v : check.numbers) out["values"].push_back(finite(v));
    out["deviation"] = finite(check.deviation());
  }
  return out;
}

// UTF-8 that came from outside must not stop a report.
std::string dumped(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

const char* sizes_note(Sizes sizes) {
  switch (sizes) {
    case Sizes::kFull:
      return "full runs";
    case Sizes::kQuick:
      return "quick runs";
    case Sizes::kAll:
      break;
  }
  return "";
}

std::string padded(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::vector<std::vector<std::string>> rows_of(const Result& result) {
  std::vector<std::vector<std::string>> out;
  for (const Check& check : result.checks) {
    out.push_back({check.expected.name,
                   got(check),
                   wanted(check.expected),
                   check.passed ? "ok" : "FAILED",
                   check.expected.source});
  }
  return out;
}

std::string verdict(const Result& result) {
  const auto good = std::count_if(result.checks.begin(),
                                  result.checks.end(),
                                  [](const Check& c) { return c.passed; });
  return fmt::format("{}: {} of {} checks hold, {}",
                     result.passed() ? "passed" : "FAILED",
                     good,
                     result.checks.size(),
                     report::figure(result.seconds, report::Unit::kSeconds));
}

}  // namespace

std::string to_json(const Result& result) {
  Json out;
  out["name"] = result.name;
  out["passed"] = result.passed();
  out["quick"] = result.quick;
  out["seed"] = result.seed;
  out["seeds"] = result.seeds;
  out["checks"] = Json::array();
  for (const Check& check : result.checks) {
    out["checks"].push_back(json_of(check));
  }
  out["seconds"] = result.seconds;
  out["page"] = result.page;
  return dumped(out, -1);
}

std::string to_json(const Recipe& recipe) {
  Json out;
  out["name"] = recipe.name;
  out["title"] = recipe.title;
  out["question"] = recipe.question;
  out["source"] = recipe.source;
  out["method"] = recipe.method;
  out["budget"] = recipe.budget;
  out["needs"] = recipe.needs;
  out["is_random"] = recipe.is_random;
  out["expected"] = Json::array();
  for (const Expected& e : recipe.expected) {
    Json fields = fields_of(e);
    if (*sizes_note(e.sizes) != '\0') fields["only"] = sizes_note(e.sizes);
    out["expected"].push_back(std::move(fields));
  }
  return dumped(out, -1);
}

std::string to_text(const Result& result) {
  std::vector<std::vector<std::string>> rows = {
      {"check", "value", "expected", "", "source"}};
  for (auto& row : rows_of(result)) rows.push_back(std::move(row));
  return padded(rows) + verdict(result) + "\npage: " + result.page + "\n";
}

std::string to_text(const Recipe& recipe) {
  std::string out = recipe.name + ": " + recipe.title + "\n\n";
  const std::pair<const char*, const std::string*> parts[] = {
      {"question", &recipe.question},
      {"source", &recipe.source},
      {"method", &recipe.method},
      {"budget", &recipe.budget}};
  for (const auto& [name, text] : parts) {
    out += fmt::format("{}: {}\n", name, *text);
  }
  if (!recipe.needs.empty()) {
    out += fmt::format("needs: ./dev fetch {}\n", fmt::join(recipe.needs, " "));
  }
  if (recipe.is_random) out += "depends on --seed\n";
  std::vector<std::vector<std::string>> rows = {{"expected", "", "source", ""}};
  for (const Expected& e : recipe.expected) {
    rows.push_back({e.name, wanted(e), e.source, sizes_note(e.sizes)});
  }
  return out + "\n" + padded(rows);
}

std::string to_page(const Recipe& recipe,
                    const Result& result,
                    const report::Page& parts) {
  report::Page page(recipe.title);
  if (!result.passed()) {
    page.warning("Some numbers are not what they should be.");
  }
  if (result.quick) page.warning("A quick run: smaller than the full one.");
  page.paragraph(recipe.question);
  page.paragraph(verdict(result) +
                 fmt::format("; seed {}{}.",
                             result.seed,
                             result.seeds > 1
                                 ? fmt::format(" and {} more", result.seeds - 1)
                                 : ""));
  page.table({.columns = {"check", "value", "expected", "verdict", "source"},
              .rows = rows_of(result)});
  page.append(parts);
  page.heading("Method");
  page.paragraph(recipe.method);
  page.paragraph("Source: " + recipe.source + ".");
  page.paragraph("Budget: " + recipe.budget + ".");
  return page.html();
}

}  // namespace kexue::recipes
