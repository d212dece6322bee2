#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/cli/eval.h"
#include "kexue/cli/text_output.h"

namespace kexue::cli {
namespace {

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

}  // namespace

EvalResult eval_classes(train::Inference& model,
                        const data::Dataset& rows,
                        const std::string& file) {
  const auto logits = model.logits(rows.texts, rows.second_texts);
  for (size_t i = 0; i < rows.size(); ++i) {
    json_numbers(logits[i], fmt::format("{}:{}", file, rows.lines[i]));
  }
  const Score score = score_of(logits, rows);
  const auto n = static_cast<double>(rows.size());
  const double loss = score.loss / n;
  const double accuracy = static_cast<double>(score.right) / n;
  EvalResult out{.metrics = {{"loss", loss}, {"accuracy", accuracy}},
                 .classes = score.classes};
  out.lines = {fmt::format("loss      {:.4f}", loss),
               fmt::format("accuracy  {:.2f} %  (+- {:.2f}, one "
                           "standard error)",
                           100 * accuracy,
                           100 * std::sqrt(accuracy * (1 - accuracy) / n)),
               "class\trows\tpredicted\tright"};
  for (size_t c = 0; c < score.classes.size(); ++c) {
    const ClassCount& count = score.classes[c];
    out.lines.push_back(fmt::format("{}\t{}\t{}\t{}",
                                    rows.classes[c],
                                    count.rows,
                                    count.predicted,
                                    count.right));
  }
  return out;
}

}  // namespace kexue::cli
