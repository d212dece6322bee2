// The tokenizers of kexue wordfreq by name.
#include <filesystem>

#include "kexue/cli/text_output.h"
#include "kexue/cli/wordfreq.h"
#include "kexue/runtime/cache.h"
#include "kexue/text/jieba.h"
#include "kexue/text/piece_words.h"

namespace kexue::cli {
namespace {

namespace fs = std::filesystem;

std::string model_folder(const WordfreqOptions& o, const std::string& group) {
  if (!o.model.empty()) {
    require_model_folder(o.model);
    return o.model;
  }
  const fs::path folder = runtime::cache_root() / "data" / group;
  if (!fs::is_directory(folder)) {
    throw Error(
        Code::kNotFound,
        "wordfreq: no " + folder.string() + " for the tokenizer " + o.tokenizer,
        "./dev fetch " + group + " gets it, or --model DIR names one");
  }
  return folder.string();
}

}  // namespace

std::unique_ptr<text::WordSplitter> make_splitter(const WordfreqOptions& o) {
  if (!o.model.empty() && (o.tokenizer == "ws" || o.tokenizer == "unicode")) {
    throw Error(Code::kInvalidArgument,
                "wordfreq: the tokenizer " + o.tokenizer + " takes no --model");
  }
  if (o.tokenizer == "unicode") return std::make_unique<text::UnicodeWords>();
  if (o.tokenizer == "jieba") {
    return std::make_unique<text::Jieba>(
        text::Jieba::from_directory(model_folder(o, "jieba")));
  }
  if (o.tokenizer == "wordpiece") {
    return std::make_unique<text::WordPieceWords>(
        text::WordPiece::from_directory(model_folder(o, "bge_zh")));
  }
  if (o.tokenizer == "bpe") {
    return std::make_unique<text::BpeWords>(
        text::Bpe::from_directory(model_folder(o, "vocab")));
  }
  return std::make_unique<text::SpaceWords>();
}

}  // namespace kexue::cli
