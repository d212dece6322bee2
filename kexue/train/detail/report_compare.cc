#include "kexue/train/detail/report_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "kexue/base/error.h"
#include "kexue/report/page.h"
#include "kexue/train/detail/report_page.h"
#include "kexue/train/detail/run_identity.h"
#include "kexue/train/run_query.h"

namespace kexue::train::detail {
namespace {

using namespace report;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Folders of different parents may have one name.
std::vector<std::string> names_of(const std::vector<RunRecord>& runs) {
  std::vector<std::string> out;
  for (const RunRecord& run : runs) {
    std::string name = run.name;
    for (int copy = 2; std::find(out.begin(), out.end(), name) != out.end();
         ++copy) {
      name = fmt::format("{} ({})", run.name, copy);
    }
    out.push_back(std::move(name));
  }
  return out;
}

// Curves with steps of their own, on the steps of all of them.
Chart merged(const std::vector<Chart>& charts,
             const std::vector<std::string>& names) {
  Chart out;
  std::set<double> steps;
  for (const Chart& chart : charts) {
    steps.insert(chart.x.begin(), chart.x.end());
    if (out.id.empty()) {
      out = chart;
      out.curves.clear();
      out.marks.clear();
    }
  }
  out.x.assign(steps.begin(), steps.end());
  for (size_t r = 0; r < charts.size(); ++r) {
    const Chart& chart = charts[r];
    const int colour = static_cast<int>(r);
    if (!chart.curves.empty()) {
      // The last one is the smoothed, or the only one.
      const Curve& from = chart.curves.back();
      std::map<double, double> at;
      for (size_t i = 0; i < chart.x.size(); ++i) at[chart.x[i]] = from.y[i];
      Curve curve{.name = names[r], .style = from.style, .colour = colour};
      for (const double x : out.x) {
        const auto found = at.find(x);
        curve.y.push_back(found == at.end() ? kNone : found->second);
      }
      out.curves.push_back(std::move(curve));
    }
    for (const Marks& set : chart.marks) {
      out.marks.push_back({.name = names[r] + " " + set.name,
                           .colour = colour,
                           .points = set.points});
    }
  }
  return out;
}

// Charts of the runs by id, in the order of the page of one run. Those of one
// run alone with several curves (groups of gradients) have no common form.
std::vector<Chart> common_charts(const std::vector<RunRecord>& runs,
                                 const std::vector<std::string>& names) {
  std::vector<std::vector<Chart>> all;
  std::vector<std::string> ids;
  for (const RunRecord& run : runs) {
    all.push_back(charts_of(run, false));
    for (const Chart& chart : all.back()) {
      const bool known =
          std::find(ids.begin(), ids.end(), chart.id) != ids.end();
      if (!known && chart.id != "gradient-groups") ids.push_back(chart.id);
    }
  }
  std::vector<Chart> out;
  for (const std::string& id : ids) {
    std::vector<Chart> same;
    for (const auto& charts : all) {
      const auto found =
          std::find_if(charts.begin(), charts.end(), [&](const Chart& c) {
            return c.id == id;
          });
      same.push_back(found == charts.end() ? Chart{} : *found);
    }
    out.push_back(thinned(merged(same, names)));
  }
  return out;
}

std::string status_of(const RunRecord& run) {
  if (run.failed) return "failed";
  if (!run.done) return "not ended";
  return run.done->interrupted ? "interrupted" : "done";
}

std::vector<RunEntry> entries_of(const std::vector<RunRecord>& runs) {
  std::vector<RunEntry> out;
  for (const RunRecord& run : runs) {
    out.emplace_back();
    out.back().config = run.config_text;
    out.back().metrics = last_metrics(run);
  }
  return out;
}

std::string cell_of(const std::string& key, const std::string& text) {
  if (text.empty()) return "-";
  double value = kNone;
  std::from_chars(text.data(), text.data() + text.size(), value);
  if (key == "train_s") return figure(value, Unit::kSeconds);
  const size_t dot = key.find('.');
  const bool percent =
      dot != std::string::npos && is_share(key.substr(dot + 1));
  return percent ? fmt::format("{:.2f} %", 100 * value)
                 : figure(value, Unit::kNumber);
}

std::string runs_table(const std::vector<RunRecord>& runs,
                       const std::vector<std::string>& names) {
  const Comparison both = compare_runs(entries_of(runs));
  std::string out =
      "<section><h2>Runs</h2><div class=\"wide\"><table class=\"numbers\">"
      "<thead><tr><th></th>";
  for (size_t r = 0; r < runs.size(); ++r) {
    out += fmt::format(
        "<th><span class=\"dot\" style=\"background:var(--c{})\"></span>{}"
        "</th>",
        r,
        html(names[r]));
  }
  out += "</tr></thead><tbody>\n<tr><th scope=\"row\">status</th>";
  for (const auto& run : runs) out += "<td>" + status_of(run) + "</td>";
  out += "</tr>\n";
  const auto add = [&](const std::vector<Comparison::Row>& rows, bool figures) {
    for (const auto& [key, values] : rows) {
      out += "<tr><th scope=\"row\">" + html(key) + "</th>";
      for (const auto& value : values) {
        out += "<td>" +
               html(figures ? cell_of(key, value)
                            : (value.empty() ? "-" : value)) +
               "</td>";
      }
      out += "</tr>\n";
    }
  };
  add(both.metrics, true);
  add(both.config, false);
  return out +
         fmt::format(
             "</tbody></table></div><p class=\"hint\">Settings in which the "
             "runs differ; {} others are equal.</p></section>\n",
             both.equal_settings);
}

std::string notes_of(const std::vector<RunRecord>& runs,
                     const std::vector<std::string>& names) {
  std::string out;
  for (size_t r = 0; r < runs.size(); ++r) {
    for (const std::string& note : runs[r].notes) {
      out += "<li>" + html(names[r] + ": " + note) + "</li>\n";
    }
  }
  return out.empty() ? "" : "<ul class=\"notes\">\n" + out + "</ul>\n";
}

}  // namespace

std::string compare_page(const std::vector<RunRecord>& runs) {
  if (runs.size() < 2 || runs.size() > kMostRuns) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "a page compares 2 to {} runs, got {}", kMostRuns, runs.size()));
  }
  const auto names = names_of(runs);
  std::string title;
  for (const auto& name : names) title += (title.empty() ? "" : ", ") + name;
  std::string out = page_begin(title) + notes_of(runs, names);
  Specs specs;
  out += "<section class=\"charts\" aria-label=\"Charts\">\n";
  for (const Chart& chart : common_charts(runs, names)) {
    out += figure_html(chart);
    specs.emplace_back(chart.id, to_vega(chart));
  }
  out +=
      "</section>\n<p class=\"hint\">Curves are smoothed, each over about a "
      "fiftieth of its run.</p>\n";
  return out + runs_table(runs, names) + page_end(specs);
}

}  // namespace kexue::train::detail
