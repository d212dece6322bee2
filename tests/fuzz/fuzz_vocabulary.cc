// First byte: 0 a vocab.txt of WordPiece, 1 a vocab.json of BPE with merges, 2
// a tokenizer.json of BPE. Then the file, a NUL byte, (1: the merges and
// another one,) a text.
#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/text/bpe.h"
#include "kexue/text/unicode.h"
#include "kexue/text/wordpiece.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/mem_fs.h"

namespace kexue::fuzz {
namespace {

using text::Bpe;

constexpr const char* kMerges = "#version: 0.2\nh e\nl l\nhe ll\n\u0120 w\n";
constexpr const char* kText = "hello  world's 12\n\xE4\xBD\xA0\xFF";

// The 256 byte tokens as GPT-2 spells them, and what the merges make.
std::string vocabulary() {
  std::string out = "{";
  char32_t next = 0x100;
  for (char32_t b = 0; b < 256; ++b) {
    const bool prints = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b != 0xAD);
    const std::string c = text::encode(std::u32string(1, prints ? b : next++));
    const bool is_special = c == "\"" || c == "\\";
    out += fmt::format(
        "\"{}{}\":{},", is_special ? "\\" : "", c, static_cast<uint32_t>(b));
  }
  return out + "\"he\":256,\"ll\":257,\"hell\":258,\"\u0120w\":259}";
}

std::string tokenizer_json() {
  std::string out =
      R"({"added_tokens":[{"id":300,"content":"<|x|>"}],)"
      R"("normalizer":null,"pre_tokenizer":{"type":"Sequence",)"
      R"("pretokenizers":[{"type":"Digits","individual_digits":true},)"
      R"({"type":"ByteLevel","add_prefix_space":false}]},)"
      R"("model":{"type":"BPE","merges":["h e",["l","l"]],"vocab":)";
  out += vocabulary();
  return out + "}}";
}

void check_bpe(const Bpe& bpe, std::string_view text) {
  std::vector<std::string_view> parts;
  bpe.split(text, parts);
  const char* at = text.data();
  for (const std::string_view part : parts) {
    check(!part.empty() && part.data() == at, "parts follow each other");
    at += part.size();
  }
  check(at == text.data() + text.size(), "parts are the whole text");
  const auto ids = bpe.encode(text);
  for (const int32_t id : ids) {
    check(id >= 0 && id < bpe.size() && !bpe.token(id).empty(),
          "ids are in the vocabulary");
  }
  bpe.decode(ids);
}

void check_word_pieces(const text::WordPiece& w, std::string_view text) {
  const text::Vocabulary& v = w.vocabulary();
  for (int64_t id = 0; id < v.size(); ++id) {
    check(v.has_id(id), "a line is an id");
    check(v.find(v.token(id)) == id, "tokens are found");
    check(v.longest(v.token(id), false).id == id, "and are the longest");
  }
  for (const auto& t : w.tokenize(text)) {
    check(v.has_id(t.id) && t.begin <= t.end && t.end <= text.size(),
          "tokens are in vocabulary and text");
  }
}

std::string_view cut(std::string_view& rest) {
  const size_t end = std::min(rest.find('\0'), rest.size());
  const std::string_view out = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

void run(char which, std::string_view rest) {
  testing::MemFs fs;
  fs.mkdir("/m", 0700);
  io::write_file("/m/first", cut(rest), fs);
  if (which == 1) io::write_file("/m/second", cut(rest), fs);
  if (which == 0) {
    check_word_pieces(text::WordPiece::from_vocab_file("/m/first", {}, fs),
                      rest);
  } else if (which == 1) {
    check_bpe(Bpe::from_files("/m/first", "/m/second", fs), rest);
  } else {
    check_bpe(Bpe::from_tokenizer_json("/m/first", fs), rest);
  }
}

}  // namespace

std::vector<std::string> seeds() {
  constexpr char kNul = '\0';
  return {
      fmt::format("{}[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhe\n##llo\nw\n"
                  "\u4F60\n{}{}",
                  kNul,
                  kNul,
                  kText),
      fmt::format("\x01{}{}{}{}{}", vocabulary(), kNul, kMerges, kNul, kText),
      fmt::format("\x02{}{}{}<|x|>", tokenizer_json(), kNul, kText)};
}

std::vector<std::string> dictionary() {
  return {"\n",
          "\r\n",
          "##",
          "[UNK]\n",
          "\u0120",
          " ",
          "h e\n",
          "\"he\":16777215,",
          "16777216",
          "-1",
          "null",
          "{\"type\":\"ByteLevel\"}",
          "\"ignore_merges\":true,",
          "\"content\":\"h\"",
          "<|endoftext|>",
          std::string(1, '\0')};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue;
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  try {
    fuzz::run(static_cast<char>(data[0] % 3), all.substr(1));
  } catch (const Error& e) {
    fuzz::check_code(e);
  }
  return 0;
}
