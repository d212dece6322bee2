// kexue eval: loss, accuracy and counts by class on a labelled file.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/cli/text_output.h"
#include "kexue/data/dataset.h"

namespace kexue::cli {
namespace {

struct ClassCount {
  int64_t rows = 0;       // that have the label
  int64_t predicted = 0;  // that were given it
  int64_t right = 0;
};

struct Score {
  double loss = 0;
  int64_t right = 0;
  std::vector<ClassCount> classes;
};

Score score_of(const std::vector<std::vector<float>>& logits,
               const data::Dataset& rows) {
  Score score;
  score.classes.resize(rows.classes.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& z = logits[i];
    const auto label = static_cast<size_t>(rows.labels[i]);
    const auto top = std::max_element(z.begin(), z.end());
    const auto guess = static_cast<size_t>(top - z.begin());
    double sum = 0;
    for (const float v : z) sum += std::exp(double{v} - double{*top});
    score.loss += std::log(sum) - (double{z[label]} - double{*top});
    ++score.classes[label].rows;
    ++score.classes[guess].predicted;
    if (guess == label) {
      ++score.right;
      ++score.classes[label].right;
    }
  }
  return score;
}

nlohmann::ordered_json json_of(const Score& score,
                               const data::Dataset& rows,
                               const std::string& file) {
  const auto n = static_cast<double>(rows.size());
  nlohmann::ordered_json document;
  document["data"] = file;
  document["rows"] = rows.size();
  document["skipped"] = rows.skipped.total();
  document["loss"] = score.loss / n;
  document["accuracy"] = static_cast<double>(score.right) / n;
  for (size_t c = 0; c < score.classes.size(); ++c) {
    const ClassCount& count = score.classes[c];
    document["classes"].push_back({{"label", rows.classes[c]},
                                   {"rows", count.rows},
                                   {"predicted", count.predicted},
                                   {"right", count.right}});
  }
  return document;
}

void print_table(const Score& score,
                 const data::Dataset& rows,
                 Console& console) {
  const auto n = static_cast<double>(rows.size());
  const double accuracy = static_cast<double>(score.right) / n;
  console.print_line(fmt::format("rows      {}", rows.size()));
  console.print_line(fmt::format("loss      {:.4f}", score.loss / n));
  console.print_line(
      fmt::format("accuracy  {:.2f} %  (+- {:.2f}, one "
                  "standard error)",
                  100 * accuracy,
                  100 * std::sqrt(accuracy * (1 - accuracy) / n)));
  console.print_line("class\trows\tpredicted\tright");
  for (size_t c = 0; c < score.classes.size(); ++c) {
    const ClassCount& count = score.classes[c];
    console.print_line(fmt::format("{}\t{}\t{}\t{}",
                                   rows.classes[c],
                                   count.rows,
                                   count.predicted,
                                   count.right));
  }
}

}  // namespace

int run_eval(const EvalOptions& options, Console& console) {
  require_model_folder(options.text.model);
  const auto session = open_session(options.text.device);
  train::Inference model(
      session, options.text.model, inference_options(options.text), true);
  const auto rows = data::read_dataset(
      options.text.input,
      {.label_column = options.label_column,
       .text_column = options.text_column,
       .second_text_column = options.second_text_column,
       .classes = model.config().labels,
       .on_bad =
           options.text.skip_bad ? data::OnBad::kSkip : data::OnBad::kError});
  const auto logits = model.logits(rows.texts, rows.second_texts);
  for (size_t i = 0; i < rows.size(); ++i) {
    json_numbers(logits[i],
                 fmt::format("{}:{}", options.text.input, rows.lines[i]));
  }
  const Score score = score_of(logits, rows);
  if (console.json()) {
    console.print_line(json_of(score, rows, options.text.input).dump());
  } else {
    print_table(score, rows, console);
  }
  note_truncated(model, console);
  return 0;
}

}  // namespace kexue::cli
