// Chinese words as jieba finds them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/file_system.h"
#include "kexue/text/word_splitter.h"

namespace kexue::text {

// jieba's default mode (cut with HMM, no paddle): the words of a dictionary
// make a graph over a stretch of Chinese text; the path with the greatest
// product of word probabilities is taken; runs of single characters on it are
// cut anew by a hidden Markov model of word parts (B, M, E, S).
//
//   score(i) = max over words i..j of log(freq / total) + score(j + 1)
//
// Output is that of jieba 0.42.1, byte for byte: the same doubles in the same
// order of additions, the same choice between equal scores (the longer word,
// the greater letter of B, E, M, S), the same borders of stretches.
//
// Numerics: f64; logarithms by std::log, as Python's.
// Source: https://github.com/fxsjy/jieba (MIT), dictionary of the package.
class Jieba final : public WordSplitter {
 public:
  // `folder` holds dict.txt (word, frequency, tag) and hmm.json (start, trans,
  // emit), as ./dev fetch jieba leaves them.
  // Errors: kNotFound, kIo; kCorruptData with file and line, or JSON path.
  static Jieba from_directory(const std::string& folder,
                              io::FileSystem& fs = io::real_fs());
  Jieba(Jieba&&) noexcept;
  ~Jieba() override;

  // Every part of a valid UTF-8 text, white space included: what jieba.cut()
  // gives.
  void cut(std::string_view text, std::vector<std::string_view>& words) const;

  Unit unit() const override { return Unit::kLine; }
  // The same without white space.
  void split(std::string_view text,
             std::vector<std::string_view>& words) const override;

  struct Model;

 private:
  explicit Jieba(std::unique_ptr<const Model> model);

  std::unique_ptr<const Model> model_;
};

}  // namespace kexue::text
