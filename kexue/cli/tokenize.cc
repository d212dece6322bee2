// kexue tokenize: JSON lines {text, ids, tokens}.
#include <nlohmann/json.hpp>

#include "kexue/cli/commands.h"
#include "kexue/cli/lines.h"
#include "kexue/cli/text_output.h"
#include "kexue/text/wordpiece.h"

namespace kexue::cli {
namespace {

text::WordPiece tokenizer_for(const TokenizeOptions& options) {
  if (options.model.empty() == options.vocab.empty()) {
    throw Error(Code::kInvalidArgument,
                "tokenize: give either --model DIR or --vocab FILE",
                "--model .cache/kexue/data/bge_zh after ./dev fetch bge_zh");
  }
  if (!options.model.empty()) {
    require_model_folder(options.model);
    return text::WordPiece::from_directory(options.model);
  }
  return text::WordPiece::from_vocab_file(options.vocab,
                                          {.lowercase = !options.cased});
}

std::vector<int32_t> ids_of(const text::WordPiece& tokenizer,
                            const TokenizeOptions& options,
                            const std::string& line) {
  const int64_t limit =
      options.max_length > 0 ? options.max_length : text::WordPiece::kNoLimit;
  if (!options.no_special) return tokenizer.encode(line, limit).ids;
  std::vector<int32_t> ids;
  for (const auto& token : tokenizer.tokenize(line)) {
    if (static_cast<int64_t>(ids.size()) >= limit) break;
    ids.push_back(token.id);
  }
  return ids;
}

}  // namespace

int run_tokenize(const TokenizeOptions& options, Console& console) {
  const auto tokenizer = tokenizer_for(options);
  LineReader lines({.path = options.input, .skip_bad = options.skip_bad});
  for (auto block = lines.next_block(256); !block.empty();
       block = lines.next_block(256)) {
    for (const Line& line : block) {
      nlohmann::ordered_json row;
      row["text"] = line.text;
      row["ids"] = ids_of(tokenizer, options, line.text);
      auto& tokens = row["tokens"] = nlohmann::ordered_json::array();
      for (const int32_t id : row["ids"]) {
        tokens.push_back(tokenizer.token(id));
      }
      console.print_line(row.dump());
    }
    console.flush();
  }
  note_skipped(lines, console);
  return 0;
}

}  // namespace kexue::cli
