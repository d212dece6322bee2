// kexue rerank: JSON lines {query, passage, logit}.
#include <fmt/format.h>

#include "kexue/cli/commands.h"
#include "kexue/cli/text_output.h"
#include "kexue/data/dataset.h"

namespace kexue::cli {

int run_rerank(const RerankOptions& options, Console& console) {
  require_model_folder(options.text.model);
  const auto pairs = data::read_dataset(
      options.text.input,
      {.columns = {.label = -1, .text = 0, .second_text = 1},
       .on_bad =
           options.text.skip_bad ? data::OnBad::kSkip : data::OnBad::kError});
  const auto session = open_session(options.text.device);
  train::Inference model(session,
                         options.text.model,
                         inference_options(options.text),
                         train::Head::kClassifier);
  if (model.config().labels.size() != 1) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: rerank needs a model with one score, this "
                            "one has {} classes",
                            options.text.model,
                            model.config().labels.size()),
                "kexue predict prints classes");
  }
  for (size_t begin = 0; begin < pairs.size(); begin += kBlockLines) {
    const size_t end = std::min(begin + kBlockLines, pairs.size());
    const auto slice = [&](const std::vector<std::string>& texts) {
      const auto at = [&](size_t i) {
        return texts.begin() + static_cast<std::ptrdiff_t>(i);
      };
      return std::vector<std::string>(at(begin), at(end));
    };
    const auto logits =
        model.logits(slice(pairs.texts), slice(pairs.second_texts));
    for (size_t i = begin; i < end; ++i) {
      const std::string where =
          fmt::format("{}:{}", options.text.input, pairs.lines[i]);
      console.print_line(
          fmt::format(R"({{"query": {}, "passage": {}, "logit": {}}})",
                      json_text(pairs.texts[i]),
                      json_text(pairs.second_texts[i]),
                      json_number(logits[i - begin].at(0), where)));
    }
    console.flush();
  }
  if (pairs.skipped.total() > 0) {
    console.note(fmt::format("kexue: {}: {} bad lines skipped",
                             options.text.input,
                             pairs.skipped.total()));
  }
  note_truncated(model, console);
  return 0;
}

}  // namespace kexue::cli
