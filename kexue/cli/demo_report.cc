#include "kexue/cli/demo_report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/base/error.h"
#include "kexue/cli/progress.h"
#include "kexue/cli/run_result.h"

namespace kexue::cli {
namespace {

train::EvalReport test_of(const DemoSummary& s) {
  for (const auto& eval : last_evals(s.run)) {
    if (eval.split == "test") return eval;
  }
  throw Error(Code::kInternal, "demo: no evaluation of the test split");
}

std::string row(const std::string& name, const std::string& value) {
  return fmt::format("  {:<26}{}\n", name, value);
}

std::string step_rows(const DemoSummary& s) {
  const StepTimes& t = s.times;
  std::string out = fmt::format(
      "  one training step of {} texts of {} tokens\n", t.batch, t.length);
  out += row("    f32", fmt::format("{:.0f} ms", t.f32_ms));
  out += row("    bf16",
             fmt::format("{:.0f} ms      {:.2f} times as fast as f32",
                         t.bf16_ms,
                         t.f32_ms / t.bf16_ms));
  const auto add = [&](const char* name, const OpByOpTime& o, double whole_ms) {
    out += row(name,
               fmt::format("{:.0f} ms      the whole graph is {:.2f} times as "
                           "fast ({} ops, {} programs)",
                           o.ms,
                           o.ms / whole_ms,
                           o.ops,
                           o.programs));
  };
  add("    f32, op by op", t.plain, t.f32_ms);
  if (t.kernels) add("    bf16, by fused op", *t.kernels, t.bf16_ms);
  return out;
}

nlohmann::ordered_json json_of(const OpByOpTime& o) {
  return {{"ops", o.ops}, {"programs", o.programs}, {"compile_s", o.compile_s}};
}

std::string sentence_rows(const DemoSummary& s) {
  std::string out = "  three sentences (1 = positive, 0 = negative)\n";
  for (const auto& c : s.sentences) {
    out += fmt::format("    {}  {:.3f}  {}\n", c.label, c.probability, c.text);
  }
  return out;
}

}  // namespace

std::string summary_json(const DemoSummary& s) {
  const auto test = test_of(s);
  const StepTimes& t = s.times;
  nlohmann::ordered_json out = {
      {"test_accuracy", train::metric(test.metrics, "accuracy")},
      {"test_loss", test.loss},
      {"baseline_accuracy", s.baseline_accuracy},
      {"train_seconds", s.run.train_s},
      {"tokens_per_s", s.run.tokens_per_s},
      {"compile_s", s.run.compile_s},
      {"warm_start_s", s.warm.first_step_begin_s},
      {"warm_first_step_s", s.warm.first_step_end_s},
      {"step_ms_f32", t.f32_ms},
      {"step_ms_bf16", t.bf16_ms}};
  out["step_ms_op_by_op"] = t.plain.ms;
  out["op_by_op"] = json_of(t.plain);
  if (t.kernels) {
    out["step_ms_op_by_op_kernels"] = t.kernels->ms;
    out["op_by_op_kernels"] = json_of(*t.kernels);
  }
  out["timed_batch"] = {t.batch, t.length};
  out["peak_rss_mb"] = s.peak_rss_mb;
  out["precision"] = s.precision;
  out["steps"] = s.run.steps;
  out["rows"] = test.rows;
  out["seed"] = s.seed;
  out["quick"] = s.quick;
  out["programs"] = s.run.programs;
  out["programs_from_cache"] = s.run.from_cache;
  out["padding_share"] = s.run.padding_share;
  out["plugin"] = s.plugin;
  out["threads"] = s.threads;
  out["bf16_is_fast"] = s.fast_bf16;
  for (const auto& c : s.sentences) {
    out["sentences"].push_back(
        {{"text", c.text}, {"label", c.label}, {"probability", c.probability}});
  }
  return out.dump(2);
}

std::string summary_table(const DemoSummary& s) {
  const auto test = test_of(s);
  std::string out =
      "\nkexue demo: is a Chinese review positive? bge-small-zh, 4 layers x "
      "512\n\n";
  out += row("test accuracy",
             fmt::format("{:.2f} %    of {} reviews",
                         100 * train::metric(test.metrics, "accuracy"),
                         test.rows));
  out += row("naive Bayes, for scale",
             fmt::format("{:.2f} %", 100 * s.baseline_accuracy));
  out += row("training",
             fmt::format("{}      {} steps in {}, {:.0f} tokens/s",
                         clock_text(s.run.train_s),
                         s.run.steps,
                         s.precision,
                         s.run.tokens_per_s));
  out += row("  of which compiling",
             fmt::format("{:.1f} s     {} programs, {} from the cache",
                         s.run.compile_s,
                         s.run.programs,
                         s.run.from_cache));
  out += row("second start",
             fmt::format("{:.2f} s     to reach the first step, {:.2f} s to "
                         "its end",
                         s.warm.first_step_begin_s,
                         s.warm.first_step_end_s));
  out += row("peak memory", fmt::format("{:.0f} MB", s.peak_rss_mb));
  out += step_rows(s);
  out += sentence_rows(s);
  if (!s.fast_bf16) {
    out += "  This processor has no bf16 products: f32 is faster here.\n";
  }
  if (s.quick) {
    out += fmt::format(
        "  --quick trained for {} steps on the starts of texts: this is not "
        "the accuracy of the full run.\n",
        s.run.steps);
  }
  out += fmt::format(
      "\nModel, curves and figures: {0}/model, {0}/report.html, "
      "{0}/summary.json\n"
      "Try it: echo TEXT | build/release/kexue predict --model {0}/model",
      s.run.folder);
  return out;
}

}  // namespace kexue::cli
