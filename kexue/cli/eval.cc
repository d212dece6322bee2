// kexue eval: how good a trained model is on a file.
#include "kexue/cli/eval.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/cli/text_output.h"
#include "kexue/models/bert_files.h"
#include "kexue/train/correlation.h"
#include "kexue/train/task.h"

namespace kexue::cli {
namespace {

EvalResult result_of(const train::MetricValues& metrics) {
  EvalResult out{.metrics = metrics};
  for (const auto& [name, value] : metrics) {
    out.lines.push_back(train::metric_text(name, value));
  }
  return out;
}

void add_to(nlohmann::ordered_json& document,
            const EvalResult& result,
            const std::vector<std::string>& labels) {
  for (const auto& [name, value] : result.metrics) {
    // NaN (of a constant, of no rows) has no place in JSON.
    document[name] = nullptr;
    if (std::isfinite(value)) document[name] = value;
  }
  for (size_t c = 0; c < result.classes.size(); ++c) {
    const ClassCount& count = result.classes[c];
    document["classes"].push_back({{"label", labels[c]},
                                   {"rows", count.rows},
                                   {"predicted", count.predicted},
                                   {"right", count.right}});
  }
  if (result.masked > 0) document["masked"] = result.masked;
}

std::string task_of(const EvalOptions& options) {
  if (options.task != "auto") return options.task;
  const auto heads = models::bert_heads(options.text.model);
  if (heads.classes == 0 && heads.masked_lm) return "masked_lm";
  return heads.classes == 1 ? "regress" : "classify";
}

data::Dataset read_rows(const EvalOptions& o,
                        const std::string& task,
                        const std::vector<std::string>& classes) {
  data::ReadOptions read;
  read.columns = o.columns;
  read.labels = train::labels_of(task);
  if (task == "classify") read.classes = classes;
  read.on_bad = o.text.skip_bad ? data::OnBad::kSkip : data::OnBad::kError;
  return data::read_dataset(o.text.input, read);
}

}  // namespace

EvalResult eval_scores(train::Inference& model,
                       const data::Dataset& rows,
                       const EvalOptions& options) {
  const size_t outputs = model.config().labels.size();
  if (outputs != 1) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: regress needs a model with one score, this "
                            "one has {} classes",
                            options.text.model,
                            outputs),
                "--task classify counts classes");
  }
  const auto scores = model.logits(rows.texts, rows.second_texts);
  std::vector<double> predicted;
  for (size_t i = 0; i < rows.size(); ++i) {
    json_numbers(scores[i],
                 fmt::format("{}:{}", options.text.input, rows.lines[i]));
    predicted.push_back(scores[i].at(0));
  }
  const std::vector<double> wanted(rows.scores.begin(), rows.scores.end());
  return result_of(
      train::regression_metrics(predicted, wanted, options.sign_margin));
}

EvalResult eval_masked(train::Inference& model,
                       const data::Dataset& rows,
                       const EvalOptions& o) {
  using Style = data::MaskOptions::Style;
  const auto score = model.masked_tokens(
      rows.texts,
      rows.second_texts,
      {.style = o.mask_style == "bert" ? Style::kBert : Style::kRoberta,
       .probability = o.mask_probability,
       .max_predictions = o.max_predictions,
       .whole_words = !o.split_words},
      o.seed);
  if (score.tokens == 0) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: no token of its {} rows was masked",
                            o.text.input,
                            rows.size()),
                "--mask-style bert masks one of each row at least");
  }
  const auto tokens = static_cast<double>(score.tokens);
  const double loss = score.loss / tokens;
  json_number(static_cast<float>(loss), o.text.model);
  EvalResult out =
      result_of({{"loss", loss},
                 {"accuracy", static_cast<double>(score.right) / tokens},
                 {"perplexity", std::exp(loss)}});
  out.masked = score.tokens;
  out.lines.push_back(fmt::format("masked {} tokens", score.tokens));
  return out;
}

int run_eval(const EvalOptions& options, Console& console) {
  require_model_folder(options.text.model);
  const std::string task = task_of(options);
  const auto session = open_session(options.text.device);
  train::Inference model(
      session,
      options.text.model,
      inference_options(options.text),
      task == "masked_lm" ? train::Head::kMaskedLm : train::Head::kClassifier);
  const auto rows = read_rows(options, task, model.config().labels);
  const EvalResult result =
      task == "classify"  ? eval_classes(model, rows, options.text.input)
      : task == "regress" ? eval_scores(model, rows, options)
                          : eval_masked(model, rows, options);
  if (console.json()) {
    nlohmann::ordered_json document = {{"data", options.text.input},
                                       {"task", task},
                                       {"rows", rows.size()},
                                       {"skipped", rows.skipped.total()}};
    add_to(document, result, rows.classes);
    console.print_line(document.dump());
  } else {
    console.print_line(fmt::format("rows      {}", rows.size()));
    for (const auto& line : result.lines) console.print_line(line);
  }
  note_truncated(model, console);
  return 0;
}

}  // namespace kexue::cli
