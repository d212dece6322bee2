// Words that a tokenizer's model cuts into pieces, for counting.
#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "kexue/text/bpe.h"
#include "kexue/text/word_splitter.h"
#include "kexue/text/wordpiece.h"

namespace kexue::text {

// What WordPiece::tokenize() gives for each line, as the tokens' texts. Words
// end at space, tab and line ends, which no piece crosses; only an added token
// with a space inside would, and is not found.
class WordPieceWords final : public WordSplitter {
 public:
  explicit WordPieceWords(WordPiece model) : model_(std::move(model)) {}

  Unit unit() const override { return Unit::kLine; }
  void split(std::string_view text,
             std::vector<std::string_view>& words) const override;
  bool has_pieces() const override { return true; }
  void pieces(std::string_view word,
              const std::function<void(std::string_view)>& take) const override;

 private:
  WordPiece model_;
};

// What Bpe::encode() gives for each line without its line end (LF or CR LF),
// as the tokens are spelled in the vocabulary.
class BpeWords final : public WordSplitter {
 public:
  explicit BpeWords(Bpe model) : model_(std::move(model)) {}

  Unit unit() const override { return Unit::kLine; }
  void split(std::string_view text,
             std::vector<std::string_view>& words) const override;
  bool has_pieces() const override { return true; }
  void pieces(std::string_view word,
              const std::function<void(std::string_view)>& take) const override;

 private:
  Bpe model_;
};

}  // namespace kexue::text
