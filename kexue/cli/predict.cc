// kexue predict: label and probability of each line of text.
#include <fmt/format.h>

#include <algorithm>

#include "kexue/cli/commands.h"
#include "kexue/cli/text_output.h"

namespace kexue::cli {
namespace {

std::string json_row(const Line& line,
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

}  // namespace

int run_predict(const PredictOptions& options, Console& console) {
  require_model_folder(options.text.model);
  LineReader lines(
      {.path = options.text.input, .skip_bad = options.text.skip_bad});
  const auto session = open_session(options.text.device);
  train::Inference model(
      session, options.text.model, inference_options(options.text), true);
  const auto& labels = model.config().labels;
  if (labels.size() < 2) {
    throw Error(Code::kUnsupported,
                options.text.model + ": the model gives one score, no classes",
                "kexue rerank prints scores of pairs");
  }
  for (auto block = lines.next_block(kBlockLines); !block.empty();
       block = lines.next_block(kBlockLines)) {
    const auto logits = model.logits(texts_of(block));
    for (size_t i = 0; i < block.size(); ++i) {
      for (const float z : logits[i]) {
        json_number(z, fmt::format("{}:{}", lines.name(), block[i].number));
      }
      const auto p = train::probabilities(logits[i]);
      const auto best =
          static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
      console.print_line(
          console.json()
              ? json_row(block[i], labels, p, best)
              : fmt::format(
                    "{}\t{:.4f}\t{}", labels[best], p[best], block[i].text));
    }
    console.flush();
  }
  note_skipped(lines, console);
  note_truncated(model, console);
  return 0;
}

}  // namespace kexue::cli
