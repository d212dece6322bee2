// First byte: which tokenizer. The rest: a text, or (tokenizer 0) the
// tokenizer.json itself, up to a NUL byte, then a text.
#include <unistd.h>
#include <array>
#include <filesystem>
#include <optional>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/text/unicode.h"
#include "kexue/text/wordpiece.h"
#include "tests/fuzz/fuzz_target.h"

namespace kexue::fuzz {
namespace {

using text::Vocabulary;
using text::WordPiece;
using text::WordPieceOptions;

constexpr const char* kJson =
    R"({"added_tokens":[{"id":4,"content":"[MASK]"}],)"
    R"("normalizer":{"type":"BertNormalizer","lowercase":true},)"
    R"("pre_tokenizer":{"type":"BertPreTokenizer"},)"
    R"("model":{"type":"WordPiece","unk_token":"[UNK]",)"
    R"("continuing_subword_prefix":"##","max_input_chars_per_word":100,)"
    R"("vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,)"
    R"("a":5,"##b":6,"abc":7}}})";

WordPiece make(WordPieceOptions options) {
  std::vector<Vocabulary::Entry> entries;
  for (const char* t : {"[PAD]",
                        "[UNK]",
                        "[CLS]",
                        "[SEP]",
                        "[MASK]",
                        "a",
                        "b",
                        "##a",
                        "##b",
                        "ab",
                        "##\u00E9",
                        "e",
                        "\u4F60",
                        "\uFFFD",
                        ".",
                        "##\u1161",
                        "\u1100"}) {
    entries.emplace_back(static_cast<int32_t>(entries.size()), t);
  }
  return WordPiece(
      Vocabulary(std::move(entries), "##", "fuzz"), options, {}, "fuzz");
}

const WordPiece& fixed(size_t which) {
  static const std::array<WordPiece, 4> all = {
      make({}),
      make({.lowercase = false}),
      make({.clean_text = false, .handle_chinese_chars = false}),
      make({.strip_accents = false, .max_chars_per_word = 1000})};
  return all[which % all.size()];
}

std::optional<WordPiece> parse(std::string_view json) {
  const auto path = (std::filesystem::temp_directory_path() /
                     ("kexue-fuzz-" + std::to_string(::getpid())))
                        .string();
  io::write_file(path, json);
  std::optional<WordPiece> out;
  try {
    out = WordPiece::from_tokenizer_json(path);
  } catch (const Error& e) {
    check_code(e);
  }
  io::real_fs().unlink(path);
  return out;
}

void check_tokens(const WordPiece& w, std::string_view text) {
  size_t at = 0;
  std::vector<int32_t> ids;
  for (const auto& t : w.tokenize(text)) {
    check(w.vocabulary().has_id(t.id), "ids are in the vocabulary");
    check(t.begin <= t.end && t.end <= text.size(), "offsets are in the text");
    check(t.begin >= at, "offsets ascend");
    at = t.begin;
    ids.push_back(t.id);
  }
  check(text::is_valid_utf8(w.decode(ids)), "decoded text is UTF-8");
  const auto e = w.encode_pair(text, text.substr(0, text.size() / 2), 12);
  check(e.ids.size() <= 12 && e.types.size() == e.ids.size(), "lengths hold");
  check(e.ids.front() == w.cls_id() && e.ids.back() == w.sep_id(), "frame");
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string nul(1, '\0');
  return {nul + kJson + nul + "abc a",
          // Read beyond the end of a token once.
          nul + kJson + nul + "a [MASK]" + nul + nul,
          "\1ab [MASK] b.a",
          "\2\u4F60 e\u0301 \uAC00",
          "\3a\u0323\u0301 \xE4\xBD",
          "\4" + std::string(300, 'a') + " b"};
}

std::vector<std::string> dictionary() {
  return {"[MASK]",
          "[CLS]",
          "\u0301",
          "\uAC00",
          "\u4F60",
          "\xff",
          "\xE4",
          "##a",
          "\u200B",
          "\u0130",
          " ",
          "\"x\":9,",
          "16777216",
          "null",
          "true",
          "{",
          "\"\":",
          "\u302E\u0323"};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue::fuzz;
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view rest = all.substr(1);
  if (all[0] != '\0') {
    check_tokens(fixed(data[0] - 1u), rest);
    return 0;
  }
  const size_t nul = rest.find('\0');
  const auto parsed = parse(rest.substr(0, nul));
  if (parsed && nul != std::string_view::npos) {
    check_tokens(*parsed, rest.substr(nul + 1));
  }
  return 0;
}
