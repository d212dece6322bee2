// kexue embed: JSON lines {text, embedding}, unit vectors.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/cli/text_output.h"
#include "kexue/io/json.h"

namespace kexue::cli {
namespace {

using Pooling = models::Bert::Pooling;

// Sentence-transformers folders say how the model was trained to be pooled.
Pooling pooling_of_folder(const std::string& folder) {
  const std::string path = folder + "/1_Pooling/config.json";
  if (!std::filesystem::exists(path)) return Pooling::kCls;
  const auto config = io::parse_json_file(path);
  const auto is_set = [&](const char* key) {
    return config.is_object() && config.contains(key) && config[key] == true;
  };
  if (is_set("pooling_mode_mean_tokens")) return Pooling::kMean;
  if (is_set("pooling_mode_cls_token")) return Pooling::kCls;
  throw Error(Code::kUnsupported,
              path +
                  ": neither pooling_mode_cls_token nor "
                  "pooling_mode_mean_tokens is true",
              "--pooling cls or --pooling mean chooses");
}

Pooling pooling_of(const EmbedOptions& options) {
  if (options.pooling.empty()) return pooling_of_folder(options.text.model);
  return options.pooling == "mean" ? Pooling::kMean : Pooling::kCls;
}

}  // namespace

int run_embed(const EmbedOptions& options, Console& console) {
  require_model_folder(options.text.model);
  const Pooling pooling = pooling_of(options);
  LineReader lines(
      {.path = options.text.input, .skip_bad = options.text.skip_bad});
  const auto session = open_session(options.text.device);
  train::Inference model(session,
                         options.text.model,
                         inference_options(options.text),
                         train::Head::kNone);
  for (auto block = lines.next_block(kBlockLines); !block.empty();
       block = lines.next_block(kBlockLines)) {
    const auto vectors = model.embed(texts_of(block), pooling);
    for (size_t i = 0; i < block.size(); ++i) {
      const std::string where =
          fmt::format("{}:{}", lines.name(), block[i].number);
      console.print_line(fmt::format(R"({{"text": {}, "embedding": {}}})",
                                     json_text(block[i].text),
                                     json_numbers(vectors[i], where)));
    }
    console.flush();
  }
  note_skipped(lines, console);
  note_truncated(model, console);
  return 0;
}

}  // namespace kexue::cli
