// Byte-level byte-pair encoding, the tokenizer of GPT-2 and its kin.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kexue/io/file_system.h"

namespace kexue::text {

// A text is cut by GPT-2's pattern
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// (written out by hand: no regular expression runs), each part becomes one
// token for each byte, and then the neighbours with the lowest merge rank, the
// leftmost first, become one until none can. Tokens are spelled with one
// character for each byte, as the vocabulary files do: " the" is "\u0120the".
//
// Text:   any bytes; broken UTF-8 belongs to the third kind of part. Added
//         tokens are found in the raw text first, the longest where several
//         begin. Time O(n log n). Const calls are safe for concurrent use;
//         copies share everything.
// Errors: constructors: kNotFound, kIo; kCorruptData with file (and line) for
//         ids that repeat or have no token for a byte, and merges that are no
//         two tokens or whose result is none; kUnsupported for a
//         tokenizer.json with another model, normalizer or pattern.
// Source: Radford et al. 2019; Sennrich et al. 2016, arXiv:1508.07909.
class Bpe final {
 public:
  struct Model;
  struct Options {
    bool single_digits = false;  // numbers are cut into digits first
    // Text and id of tokens that no merge makes.
    std::vector<std::pair<std::string, int32_t>> added = {};
  };
  // Merges are pairs of spelled tokens, by rank. `where` names the source.
  Bpe(std::vector<std::pair<std::string, int32_t>> vocabulary,
      const std::vector<std::pair<std::string, std::string>>& merges,
      const Options& options,
      const std::string& where);

  // encoder.json or vocab.json, and vocab.bpe or merges.txt.
  static Bpe from_files(const std::string& vocabulary,
                        const std::string& merges,
                        io::FileSystem& fs = io::real_fs());
  // Pre-tokenizers ByteLevel, or Digits and ByteLevel.
  static Bpe from_tokenizer_json(const std::string& path,
                                 io::FileSystem& fs = io::real_fs());
  // tokenizer.json, else vocab.json with merges.txt, else gpt2_encoder.json
  // with gpt2_vocab.bpe.
  static Bpe from_directory(const std::string& folder,
                            io::FileSystem& fs = io::real_fs());

  // The parts that are encoded on their own, in order; together the text.
  void split(std::string_view text, std::vector<std::string_view>& parts) const;
  std::vector<int32_t> encode(std::string_view text) const;
  // Appends the ids of one part.
  void encode_part(std::string_view part, std::vector<int32_t>& ids) const;
  // The bytes that the ids stand for. kInvalidArgument for an unknown id.
  std::string decode(std::span<const int32_t> ids) const;

  int64_t size() const;  // largest id + 1
  // As spelled in the vocabulary. kInvalidArgument for an unknown id.
  const std::string& token(int64_t id) const;

 private:
  std::shared_ptr<const Model> model_;
};

}  // namespace kexue::text
