// From what a run wrote to the curves of its report.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "kexue/train/detail/report_page.h"

namespace kexue::train::detail {
namespace {

using namespace report;

constexpr size_t kColours = 8;  // of the page
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

using Field = std::function<double(const StepReport&)>;

std::vector<double> column(const RunRecord& run, const Field& field) {
  std::vector<double> out;
  out.reserve(run.steps.size());
  for (const StepReport& step : run.steps) out.push_back(field(step));
  return out;
}

Chart frame(const RunRecord& run, const char* id, const char* title) {
  Chart chart{.id = id, .title = title};
  chart.x = column(
      run, [](const StepReport& s) { return static_cast<double>(s.step); });
  return chart;
}

void add_smoothed(const RunRecord& run,
                  const std::string& raw,
                  const Field& field,
                  Chart* chart) {
  std::vector<double> y = column(run, field);
  Curve line{.name = "smoothed", .y = smooth(y, smoothing_window(run))};
  chart->curves.push_back(
      {.name = raw, .style = Curve::Style::kFaint, .y = std::move(y)});
  chart->curves.push_back(std::move(line));
}

// One set of marks a split, in the order of their first appearance.
void add_evals(const RunRecord& run,
               const std::function<double(const EvalReport&)>& field,
               Chart* chart) {
  for (const EvalReport& eval : run.evals) {
    auto set = std::find_if(
        chart->marks.begin(), chart->marks.end(), [&](const Marks& m) {
          return m.name == eval.split;
        });
    if (set == chart->marks.end()) {
      // Colours 1 to 3; 0 is the training curve's.
      const int colour = static_cast<int>(chart->marks.size() % 3) + 1;
      chart->marks.push_back({.name = eval.split, .colour = colour});
      set = chart->marks.end() - 1;
    }
    set->points.emplace_back(static_cast<double>(eval.step), field(eval));
  }
}

Chart loss_chart(const RunRecord& run) {
  Chart chart = frame(run, "loss", "Loss");
  add_smoothed(
      run, "batch", [](const StepReport& s) { return s.loss; }, &chart);
  add_evals(
      run, [](const EvalReport& e) { return e.loss; }, &chart);
  return chart;
}

// "sign_accuracy" -> "Sign accuracy", with id "sign-accuracy".
Chart metric_chart(const RunRecord& run, const std::string& name) {
  std::string title = metric_label(name);
  std::string id;
  for (const char c : name) id += c >= 'a' && c <= 'z' ? c : '-';
  if (title[0] >= 'a' && title[0] <= 'z') title[0] -= 'a' - 'A';
  Chart chart = frame(run, id.c_str(), title.c_str());
  if (is_share(name)) chart.unit = Unit::kPercent;
  chart.from_zero = false;
  const auto of_step = [&](const StepReport& s) {
    return metric(s.metrics, name);
  };
  const bool in_steps =
      std::any_of(run.steps.begin(), run.steps.end(), [&](const auto& s) {
        return std::isfinite(of_step(s));
      });
  if (in_steps) add_smoothed(run, "batch", of_step, &chart);
  add_evals(
      run,
      [&](const EvalReport& e) { return metric(e.metrics, name); },
      &chart);
  return chart;
}

Chart lr_chart(const RunRecord& run) {
  Chart chart = frame(run, "learning-rate", "Learning rate");
  chart.unit = Unit::kSmall;
  chart.curves.push_back(
      {.name = "learning rate",
       .y = column(run, [](const StepReport& s) { return s.lr; })});
  return chart;
}

Chart grad_norm_chart(const RunRecord& run) {
  Chart chart = frame(run, "gradient-norm", "Gradient norm before clipping");
  add_smoothed(
      run, "step", [](const StepReport& s) { return s.grad_norm; }, &chart);
  return chart;
}

// Curves only: five raw ones on top of each other would hide everything.
Chart group_chart(const RunRecord& run) {
  Chart chart =
      frame(run, "gradient-groups", "Gradient norm by part of the model");
  chart.log_y = true;
  int colour = 0;
  std::vector<std::string> names;
  for (const StepReport& s : run.steps) {
    for (const auto& [name, value] : s.grad_norms) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      if (names.size() < kColours) names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    const auto y = column(
        run, [&](const StepReport& s) { return metric(s.grad_norms, name); });
    chart.curves.push_back({.name = name,
                            .colour = colour++,
                            .y = smooth(y, smoothing_window(run))});
  }
  return chart;
}

// What the step's program holds in the device's memory is one number.
Chart memory_chart(const RunRecord& run) {
  constexpr double kMega = 1e-6;
  Chart chart = frame(run, "memory", "Memory");
  chart.y_title = "MB";
  if (run.done && run.done->program_bytes > 0) {
    const double bytes = static_cast<double>(run.done->program_bytes);
    chart.curves.push_back(
        {.name = "largest program of the step",
         .colour = 1,
         .y = std::vector<double>(chart.x.size(), bytes * kMega)});
  }
  // The last curve stands for a run where several are laid over each other.
  chart.curves.push_back({.name = "resident in the process",
                          .y = column(run, [](const StepReport& s) {
                            return s.rss_bytes > 0
                                       ? static_cast<double>(s.rss_bytes) *
                                             kMega
                                       : kNone;
                          })});
  return chart;
}

Chart throughput_chart(const RunRecord& run) {
  Chart chart = frame(run, "throughput", "Throughput");
  chart.unit = Unit::kRate;
  chart.y_title = "tokens/s, padding not counted";
  const auto rate = [](const StepReport& s) {
    const double seconds = s.step_s + s.input_s;
    if (!(seconds > 0) || s.tokens == 0) return kNone;
    return static_cast<double>(s.tokens) / seconds;
  };
  add_smoothed(run, "step", rate, &chart);
  return chart;
}

Chart padding_chart(const RunRecord& run) {
  Chart chart = frame(run, "padding", "Padding");
  chart.unit = Unit::kPercent;
  chart.y_title = "share of the batch";
  const auto share = [](const StepReport& s) {
    if (s.padded_tokens <= 0 || s.tokens > s.padded_tokens) return kNone;
    return 1 -
           static_cast<double>(s.tokens) / static_cast<double>(s.padded_tokens);
  };
  add_smoothed(run, "step", share, &chart);
  return chart;
}

Chart scale_chart(const RunRecord& run) {
  Chart chart = frame(run, "loss-scale", "Loss scale");
  chart.unit = Unit::kRate;
  const bool is_used =
      std::any_of(run.steps.begin(), run.steps.end(), [](const StepReport& s) {
        return s.scale != 1 || s.skipped;
      });
  if (!is_used) return chart;
  chart.curves.push_back(
      {.name = "scale",
       .style = Curve::Style::kStep,
       .y = column(run, [](const StepReport& s) { return s.scale; })});
  Marks skipped{.name = "skipped steps", .colour = 3};
  for (const StepReport& s : run.steps) {
    if (s.skipped && skipped.points.size() < kMaxPoints) {
      skipped.points.emplace_back(static_cast<double>(s.step), s.scale);
    }
  }
  if (!skipped.points.empty()) chart.marks.push_back(std::move(skipped));
  return chart;
}

}  // namespace

double smoothing_window(const RunRecord& run) {
  return std::max(5.0, std::round(static_cast<double>(run.steps.size()) / 50));
}

std::vector<Chart> charts_of(const RunRecord& run, bool thin) {
  std::vector<Chart> out;
  const auto add = [&](Chart chart) {
    if (!chart.has_values()) return;
    out.push_back(thin ? thinned(std::move(chart)) : std::move(chart));
  };
  add(loss_chart(run));
  auto names = metric_names(run.evals);
  for (const auto& name : metric_names(run.steps)) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  for (const auto& name : names) add(metric_chart(run, name));
  for (const auto& make : {lr_chart,
                           grad_norm_chart,
                           group_chart,
                           throughput_chart,
                           padding_chart,
                           memory_chart,
                           scale_chart}) {
    add(make(run));
  }
  return out;
}

TimeSplit time_split_of(const RunRecord& run) {
  double compile = 0;
  double step = 0;
  double input = 0;
  const auto add = [](double seconds, double* sum) {
    if (seconds > 0) *sum += seconds;  // NaN is not
  };
  for (const StepReport& s : run.steps) {
    add(s.compile_s, &compile);
    add(s.step_s, &step);
    add(s.input_s, &input);
  }
  double evaluation = 0;
  double after = 0;  // the test split comes after train_s has ended
  for (const EvalReport& e : run.evals) {
    add(e.seconds, e.split == "test" ? &after : &evaluation);
  }
  double rest = 0;
  if (run.done) {
    add(run.done->train_s - compile - step - input - evaluation, &rest);
  }
  evaluation += after;
  if (run.done && run.done->compile_s > compile) {
    // Evaluations count the compiling of their own programs.
    const double theirs = std::min(run.done->compile_s - compile, evaluation);
    compile += theirs;
    evaluation -= theirs;
  }
  return {{"compile", compile},
          {"step", step},
          {"input", input},
          {"evaluation", evaluation},
          {"other", rest}};
}

double padding_share(const RunRecord& run) {
  int64_t tokens = 0;
  int64_t padded = 0;
  for (const StepReport& s : run.steps) {
    if (s.tokens > s.padded_tokens) continue;
    tokens += s.tokens;
    padded += s.padded_tokens;
  }
  if (padded == 0) return kNone;
  return 1 - static_cast<double>(tokens) / static_cast<double>(padded);
}

}  // namespace kexue::train::detail
