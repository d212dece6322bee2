// What a word is: the ways of cutting text into tokens to count.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace kexue::text {

// Cuts texts into words. Const calls are safe for concurrent use.
class WordSplitter {
 public:
  enum class Unit {
    kWord,  // any white space is a border: byte-clean, text need not be UTF-8
    kLine,  // a text is a line; broken UTF-8 has become U+FFFD
  };

  virtual ~WordSplitter() = default;
  virtual Unit unit() const = 0;
  // Appends the words of whole units, parts of `text`, none of them empty.
  virtual void split(std::string_view text,
                     std::vector<std::string_view>& words) const = 0;

  // A word may stand for several tokens (pieces of a WordPiece or BPE model);
  // then only different words are cut up, once each.
  virtual bool has_pieces() const { return false; }
  virtual void pieces(std::string_view word,
                      const std::function<void(std::string_view)>& take) const;
};

// Words between ASCII white space (space, \t, \n, \v, \f, \r), of any bytes:
// what bytes.split() of Python gives.
class SpaceWords final : public WordSplitter {
 public:
  Unit unit() const override { return Unit::kWord; }
  void split(std::string_view text,
             std::vector<std::string_view>& words) const override;
};

// Words of Unicode text, a subset of UAX 29: letters, marks, digits and
// connector punctuation that belong together by rules WB3 to WB13; "can't"
// and "3,141.59" are one word, an ideograph or a hiragana is a word of its
// own, a run of katakana or hangul is one. What has no letter or digit is no
// word. Not in it: dictionaries for Thai, Lao, Khmer and Burmese (a run of
// such letters is one word), emoji sequences, flags.
class UnicodeWords final : public WordSplitter {
 public:
  Unit unit() const override { return Unit::kLine; }
  void split(std::string_view text,
             std::vector<std::string_view>& words) const override;
};

}  // namespace kexue::text
