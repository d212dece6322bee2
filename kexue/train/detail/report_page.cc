#include "kexue/train/detail/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/report/page.h"
#include "kexue/train/detail/report_predictions.h"

namespace kexue::train::detail {
namespace {

using namespace report;

const EvalReport* last_eval(const RunRecord& run, const std::string& split) {
  const EvalReport* found = nullptr;
  for (const EvalReport& e : run.evals) {
    if (e.split == split) found = &e;
  }
  return found;
}

std::string tile(const std::string& name,
                 const std::string& value,
                 const std::string& under = "") {
  return fmt::format(
      "<div class=\"tile\"><dt>{}</dt><dd><b>{}</b>{}</dd></div>\n",
      html(name),
      html(value),
      under.empty() ? "" : "<small>" + html(under) + "</small>");
}

std::string metric_figure(const std::string& name, double value) {
  return figure(value, is_share(name) ? Unit::kPercent : Unit::kNumber);
}

// The headline metric of a split.
std::string metric_tile(const RunRecord& run, const std::string& split) {
  const EvalReport* e = last_eval(run, split);
  if (e == nullptr || e->metrics.empty()) return "";
  const auto& [name, value] = e->metrics.front();
  std::string under;
  if (e->rows > 0) under = fmt::format("of {} rows", grouped(e->rows));
  if (e->rows > 0 && name == "accuracy") {
    const double p = std::clamp(value, 0.0, 1.0);
    under += fmt::format(
        "; standard error {:.1f} points",
        100 * std::sqrt(p * (1 - p) / static_cast<double>(e->rows)));
  }
  return tile(
      split + " " + metric_label(name), metric_figure(name, value), under);
}

std::string steps_tile(const RunRecord& run) {
  const StepReport* last = run.steps.empty() ? nullptr : &run.steps.back();
  const int64_t steps =
      run.done ? run.done->steps : (last != nullptr ? last->step : 0);
  std::string under;
  if (last != nullptr && last->total_steps > steps) {
    under = "of " + grouped(last->total_steps);
  } else if (last != nullptr) {
    under =
        fmt::format("{} epoch{}", last->epoch + 1, last->epoch == 0 ? "" : "s");
  }
  return tile("steps", grouped(steps), under);
}

std::string speed_tiles(const RunRecord& run) {
  if (!run.done) return "";
  const FineTuneResult& done = *run.done;
  std::string out =
      tile("time",
           figure(done.train_s, Unit::kSeconds),
           std::isfinite(done.first_step_s)
               ? "first step: " + figure(done.first_step_s, Unit::kSeconds)
               : "");
  if (std::isfinite(done.tokens_per_s)) {
    const double padding = padding_share(run);
    out += tile("tokens/s",
                grouped(std::llround(std::clamp(done.tokens_per_s, 0., 1e15))),
                std::isfinite(padding)
                    ? "padding " + figure(padding, Unit::kPercent)
                    : "");
  }
  return out;
}

std::string headline(const RunRecord& run) {
  std::string out = "<dl class=\"tiles\">\n";
  out += metric_tile(run, "test") + metric_tile(run, "dev");
  out += steps_tile(run) + speed_tiles(run);
  const auto precision = find_row(run.config, {"train.precision"});
  if (!precision.empty()) out += tile("precision", precision);
  const auto seed = find_row(run.config, {"train.seed"});
  if (!seed.empty()) out += tile("seed", seed);
  out += "</dl>\n<dl class=\"facts\">\n";
  const std::pair<const char*, std::vector<std::string>> facts[] = {
      {"Plugin", {"plugin.path", "plugin"}},
      {"Platform", {"platform"}},
      {"Flags", {"flags"}},
      {"Kernels", {"kernels"}},
      {"CPU features", {"cpu_features"}},
  };
  for (const auto& [name, keys] : facts) {
    const std::string value = find_row(run.environment, keys);
    if (value.empty()) continue;
    out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, html(value));
  }
  if (run.done && run.done->programs > 0) {
    out += fmt::format(
        "<dt>Programs</dt><dd>{}, {} of them from the cache"
        "</dd>\n",
        run.done->programs,
        run.done->from_cache);
  }
  return out + "</dl>\n";
}

// What a reader must know before trusting the figures.
std::string notes_of(const RunRecord& run) {
  std::vector<std::string> notes = run.notes;
  if (run.failed) {
    // Its note says so.
  } else if (!run.done) {
    notes.emplace_back("The run has not ended, or was killed.");
  } else if (run.done->interrupted) {
    notes.emplace_back("The run was interrupted; the model was saved.");
  }
  const auto lost = std::count_if(
      run.steps.begin(), run.steps.end(), [](const StepReport& s) {
        return !std::isfinite(s.loss);
      });
  if (lost > 0) {
    notes.push_back(fmt::format("The loss of {} steps is not finite.", lost));
  }
  if (notes.empty()) return "";
  std::string out = "<ul class=\"notes\">\n";
  for (const std::string& note : notes) {
    out += "<li>" + html(note) + "</li>\n";
  }
  return out + "</ul>\n";
}

std::string evals_table(const RunRecord& run) {
  if (run.evals.empty()) return "";
  const auto names = metric_names(run.evals);
  std::string out =
      "<section><h2>Evaluations</h2><div class=\"wide\">"
      "<table class=\"numbers\"><thead><tr><th>split</th><th>step</th>";
  for (const auto& name : names) {
    out += fmt::format("<th>{}</th>", html(metric_label(name)));
  }
  out += "<th>loss</th><th>rows</th><th>time</th></tr></thead><tbody>\n";
  for (const EvalReport& e : run.evals) {
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td>",
                       html(e.split),
                       grouped(e.step));
    for (const auto& name : names) {
      const double value = metric(e.metrics, name);
      out += fmt::format("<td>{}</td>",
                         is_share(name) ? fmt::format("{:.2f} %", 100 * value)
                                        : figure(value, Unit::kNumber));
    }
    out += fmt::format("<td>{}</td><td>{}</td><td>{}</td></tr>\n",
                       figure(e.loss, Unit::kNumber),
                       grouped(e.rows),
                       figure(e.seconds, Unit::kSeconds));
  }
  return out + "</tbody></table></div></section>\n";
}

std::string environment_table(const RunRecord& run) {
  if (run.environment.empty()) return "";
  std::string out =
      "<section><h2>Environment</h2><table class=\"pairs\"><tbody>\n";
  for (const auto& [key, value] : run.environment) {
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n",
                       html(key),
                       html(value));
  }
  return out + "</tbody></table></section>\n";
}

}  // namespace

std::string report_page(const RunRecord& run) {
  const std::vector<Chart> charts = charts_of(run);
  const TimeSplit split = time_split_of(run);
  std::string out = page_begin(run.name);
  out += notes_of(run) + headline(run);
  out += "<section class=\"charts\" aria-label=\"Charts\">\n";
  Specs specs;
  for (const Chart& chart : charts) {
    out += figure_html(chart);
    specs.emplace_back(chart.id, to_vega(chart));
  }
  specs.emplace_back("time-split", to_vega(split));
  out += fmt::format(
      "<figure><figcaption>Time</figcaption>{}<div class=\"live\" "
      "id=\"time-split\"></div>{}</figure>\n</section>\n",
      to_svg(split),
      to_table(split));
  if (!run.steps.empty()) {
    out += fmt::format(
        "<p class=\"hint\">Smoothed: mean over about the last {:.0f} steps, "
        "weights falling exponentially.</p>\n",
        smoothing_window(run));
  }
  out += evals_table(run);
  for (const Predictions& p : run.predictions) {
    out += predictions_html(p, &specs);
  }
  if (!run.config_text.empty()) {
    out += "<section><h2>Configuration</h2><pre tabindex=\"0\"><code>" +
           html(run.config_text) + "</code></pre></section>\n";
  }
  out += environment_table(run);
  return out + page_end(specs);
}

}  // namespace kexue::train::detail
