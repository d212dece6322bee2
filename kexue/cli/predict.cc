// kexue predict: label and probability, or score, of each line of text.
#include <fmt/format.h>

#include <algorithm>

#include "kexue/cli/commands.h"
#include "kexue/cli/text_output.h"

namespace kexue::cli {
namespace {

std::string class_json(const Line& line,
                       const std::vector<std::string>& labels,
                       const std::vector<double>& p,
                       size_t best) {
  std::string all;
  for (size_t c = 0; c < p.size(); ++c) {
    all += fmt::format(
        "{}{}: {:.9g}", c == 0 ? "" : ", ", json_text(labels[c]), p[c]);
  }
  return fmt::format(R"({{"text": {}, "label": {}, "probability": {:.9g}, )"
                     R"("probabilities": {{{}}}}})",
                     json_text(line.text),
                     json_text(labels[best]),
                     p[best],
                     all);
}

// Of a model with one output the score, else the most probable class.
std::string result(const Line& line,
                   const std::vector<std::string>& labels,
                   const std::vector<float>& logits,
                   const std::string& where,
                   const Console& console) {
  if (labels.size() == 1) {
    const std::string score = json_number(logits.at(0), where);
    return console.json() ? fmt::format(R"({{"text": {}, "score": {}}})",
                                        json_text(line.text),
                                        score)
                          : fmt::format("{:.4f}\t{}", logits[0], line.text);
  }
  for (const float z : logits) json_number(z, where);
  const auto p = train::probabilities(logits);
  const auto best =
      static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  return console.json()
             ? class_json(line, labels, p, best)
             : fmt::format("{}\t{:.4f}\t{}", labels[best], p[best], line.text);
}

}  // namespace

int run_predict(const PredictOptions& options, Console& console) {
  require_model_folder(options.text.model);
  LineReader lines(
      {.path = options.text.input, .skip_bad = options.text.skip_bad});
  const auto session = open_session(options.text.device);
  train::Inference model(session,
                         options.text.model,
                         inference_options(options.text),
                         train::Head::kClassifier);
  const auto& labels = model.config().labels;
  for (auto block = lines.next_block(kBlockLines); !block.empty();
       block = lines.next_block(kBlockLines)) {
    const auto logits = model.logits(texts_of(block));
    for (size_t i = 0; i < block.size(); ++i) {
      const std::string where =
          fmt::format("{}:{}", lines.name(), block[i].number);
      console.print_line(result(block[i], labels, logits[i], where, console));
    }
    console.flush();
  }
  note_skipped(lines, console);
  note_truncated(model, console);
  return 0;
}

}  // namespace kexue::cli
