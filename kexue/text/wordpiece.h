// BERT's tokenizer: clean, split, then greedy longest-match WordPiece.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/file_system.h"
#include "kexue/text/vocabulary.h"

namespace kexue::text {

struct WordPieceOptions {
  bool clean_text = true;            // drop controls, every space becomes ' '
  bool handle_chinese_chars = true;  // ideographs are words of their own
  bool lowercase = true;
  std::optional<bool> strip_accents =
      std::nullopt;                  // absent: follows lowercase
  int64_t max_chars_per_word = 100;  // longer words are one [UNK]; <= 1000
  std::string unk = "[UNK]";
  std::string cls = "[CLS]";
  std::string sep = "[SEP]";
  std::string pad = "[PAD]";
  std::string mask = "[MASK]";  // may be absent from the vocabulary
};

// A token and the bytes of the text that it stands for.
struct Token {
  int32_t id = 0;
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const Token&) const = default;
};

struct Encoding {
  std::vector<int32_t> ids;
  std::vector<int32_t> types;  // 0 for the first text, 1 for the second
  int64_t dropped = 0;         // tokens cut off by max_len
};

// Follows the reference (Hugging Face tokenizers, BertNormalizer and
// BertPreTokenizer), so ids agree with published models. Const calls are safe
// for concurrent use; copies share everything.
//
// Text: any bytes. Broken UTF-8 counts as U+FFFD, which clean_text drops like
//       other control characters. Special and added tokens are found in the
//       raw text first and stay whole ("[MASK]", not "[ mask ]"). NFD splits
//       Hangul into jamo, as the reference does. Time O(n log n).
//       One difference: U+2B820..2B91F count as ideographs, as in Google's
//       tokenizer; the reference leaves them out by a slip.
// Errors: constructors: kCorruptData or kUnsupported with file and line;
//         kCorruptData when [UNK], [CLS], [SEP] or [PAD] is missing.
class WordPiece final {
 public:
  static constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

  struct AddedToken {
    int32_t id = 0;
    std::string content;
  };
  // `where` names the source in errors. The five special tokens are added
  // tokens already.
  WordPiece(Vocabulary vocabulary,
            WordPieceOptions options,
            std::vector<AddedToken> added,
            const std::string& where);

  static WordPiece from_vocab_file(const std::string& path,
                                   WordPieceOptions options = {},
                                   io::FileSystem& fs = io::real_fs());
  // A tokenizer.json with model WordPiece; its truncation and padding are
  // ignored, callers choose their own.
  static WordPiece from_tokenizer_json(const std::string& path,
                                       io::FileSystem& fs = io::real_fs());
  // tokenizer.json, else vocab.txt with the flags of tokenizer_config.json,
  // else vocab.txt in lower case. kNotFound naming both when neither is there.
  static WordPiece from_directory(const std::string& folder,
                                  io::FileSystem& fs = io::real_fs());

  // Without [CLS] and [SEP]; offsets lie inside the text, ascending.
  std::vector<Token> tokenize(std::string_view text) const;
  // [CLS] a [SEP]; kInvalidArgument if max_len < 2.
  Encoding encode(std::string_view a, int64_t max_len = kNoLimit) const;
  // [CLS] a [SEP] b [SEP]; tokens are popped one at a time from the end of the
  // longer text (from b when equal); kInvalidArgument if max_len < 3.
  Encoding encode_pair(std::string_view a,
                       std::string_view b,
                       int64_t max_len = kNoLimit) const;

  // Glues "##" pieces, puts no space around ideographs or before closing
  // punctuation. kInvalidArgument for an unknown id.
  std::string decode(std::span<const int32_t> ids,
                     bool skip_special = true) const;

  const Vocabulary& vocabulary() const;
  const WordPieceOptions& options() const;
  const std::string& token(int64_t id) const { return vocabulary().token(id); }
  int32_t unk_id() const;
  int32_t cls_id() const;
  int32_t sep_id() const;
  int32_t pad_id() const;
  std::optional<int32_t> mask_id() const;
  bool is_special(int32_t id) const;  // one of the five

 private:
  struct Model;
  std::shared_ptr<const Model> model_;
};

}  // namespace kexue::text
