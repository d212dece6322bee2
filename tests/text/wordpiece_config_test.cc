#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kexue/io/atomic_file.h"
#include "kexue/text/wordpiece.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::text {
namespace {

using nlohmann::json;
using testing::TempFolder;

json good() {
  return json::parse(R"({
    "added_tokens": [{"id": 4, "content": "[MASK]", "special": true}],
    "normalizer": {"type": "BertNormalizer", "clean_text": true,
      "handle_chinese_chars": true, "strip_accents": null,
      "lowercase": false},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "model": {"type": "WordPiece", "unk_token": "[UNK]",
      "continuing_subword_prefix": "##", "max_input_chars_per_word": 50,
      "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4,
                "A": 5, "a": 6}}})");
}

WordPiece load(const json& j) {
  const TempFolder dir;
  io::write_file(dir / "tokenizer.json", j.dump());
  return WordPiece::from_tokenizer_json(dir / "tokenizer.json");
}

TEST(TokenizerJson, FlagsAreHonoured) {
  const auto w = load(good());
  EXPECT_FALSE(w.options().lowercase);
  EXPECT_EQ(w.options().max_chars_per_word, 50);
  EXPECT_EQ(w.encode("A a").ids, (std::vector<int32_t>{2, 5, 6, 3}));
  auto j = good();
  j["normalizer"]["lowercase"] = true;
  EXPECT_EQ(load(j).encode("A a").ids, (std::vector<int32_t>{2, 6, 6, 3}));
  j["normalizer"] = nullptr;
  EXPECT_EQ(load(j).encode("A a").ids, (std::vector<int32_t>{2, 5, 6, 3}));
}

TEST(TokenizerJson, AddedTokensMayExtendTheVocabulary) {
  auto j = good();
  j["added_tokens"].push_back({{"id", 7}, {"content", "<x>"}});
  const auto w = load(j);
  EXPECT_EQ(w.vocabulary().size(), 8);
  EXPECT_EQ(w.encode("a<x>").ids, (std::vector<int32_t>{2, 6, 7, 3}));
}

TEST(TokenizerJson, EachRuleHasItsError) {
  const Code corrupt = Code::kCorruptData;
  const Code unsupported = Code::kUnsupported;
  struct Case {
    const char* patch;
    Code code;
    const char* text;
  };
  const std::vector<Case> cases = {
      {R"([{"op":"replace","path":"/model/type","value":"BPE"}])",
       unsupported,
       "model of type \"BPE\", only WordPiece"},
      {R"([{"op":"remove","path":"/model"}])", corrupt, "no \"model\""},
      {R"([{"op":"replace","path":"/model","value":[]}])",
       corrupt,
       "model: not an object"},
      {R"([{"op":"replace","path":"/model/type","value":1}])",
       corrupt,
       "type is no text"},
      {R"([{"op":"remove","path":"/model/vocab"}])", corrupt, "no \"vocab\""},
      {R"([{"op":"replace","path":"/model/vocab/a","value":5}])",
       corrupt,
       "the id is taken"},
      {R"([{"op":"replace","path":"/model/vocab/a","value":-1}])",
       corrupt,
       "a: -1 is not in 0..2^24-1"},
      {R"([{"op":"replace","path":"/model/vocab/a","value":16777216}])",
       corrupt,
       "16777216 is not in"},
      {R"([{"op":"replace","path":"/model/vocab/a","value":1.5}])",
       corrupt,
       "1.5 is not in"},
      {R"([{"op":"replace","path":"/model/vocab/a","value":[[]]}])",
       corrupt,
       "array is not in"},
      {R"([{"op":"remove","path":"/model/vocab/[UNK]"}])",
       corrupt,
       "no token [UNK]"},
      {R"([{"op":"add","path":"/model/vocab/","value":7}])", corrupt, "empty"},
      {R"([{"op":"replace","path":"/model/max_input_chars_per_word",
            "value":5000}])",
       unsupported,
       "5000 characters per word"},
      {R"([{"op":"replace","path":"/normalizer/type","value":"NFC"}])",
       unsupported,
       "normalizer of type \"NFC\""},
      {R"([{"op":"replace","path":"/normalizer/lowercase","value":1}])",
       corrupt,
       "lowercase is no boolean"},
      {R"([{"op":"replace","path":"/pre_tokenizer/type","value":"X"}])",
       unsupported,
       "pre_tokenizer of type \"X\""},
      {R"([{"op":"replace","path":"/added_tokens","value":{}}])",
       corrupt,
       "no list"},
      {R"([{"op":"replace","path":"/added_tokens/0","value":1}])",
       corrupt,
       "added_tokens: not an object"},
      {R"([{"op":"remove","path":"/added_tokens/0/id"}])",
       corrupt,
       "without id"},
      {R"([{"op":"replace","path":"/added_tokens/0/id","value":6}])",
       corrupt,
       "the id is taken"},
      {R"([{"op":"replace","path":"/added_tokens/0/id","value":9}])",
       corrupt,
       "duplicate"},
      {R"([{"op":"add","path":"/added_tokens/0/lstrip","value":true}])",
       unsupported,
       "\"[MASK]\" with lstrip"},
  };
  for (const auto& c : cases) {
    const auto j = good().patch(json::parse(c.patch));
    EXPECT_ERROR(load(j), c.code, "tokenizer.json", c.text);
  }
}

TEST(TokenizerJson, AddedTokenLengthIsLimited) {
  auto j = good();
  j["added_tokens"].push_back({{"id", 7}, {"content", std::string(256, 'x')}});
  EXPECT_ERROR(load(j), Code::kUnsupported, "256 bytes");
}

constexpr const char* kVocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nA\na\n";

TEST(FromDirectory, PrefersTokenizerJsonThenConfigThenLowerCase) {
  const TempFolder dir;
  EXPECT_ERROR(WordPiece::from_directory(dir.path()),
               Code::kNotFound,
               "neither tokenizer.json nor vocab.txt");
  io::write_file(dir / "vocab.txt", kVocab);
  EXPECT_TRUE(WordPiece::from_directory(dir.path()).options().lowercase);
  io::write_file(dir / "tokenizer_config.json",
                 R"({"do_lower_case": false, "strip_accents": true,
                     "tokenize_chinese_chars": false,
                     "unk_token": {"content": "[UNK]"}})");
  const auto w = WordPiece::from_directory(dir.path());
  EXPECT_FALSE(w.options().lowercase);
  EXPECT_FALSE(w.options().handle_chinese_chars);
  EXPECT_EQ(w.options().strip_accents, true);
  EXPECT_EQ(w.encode("A").ids, (std::vector<int32_t>{2, 5, 3}));
  auto j = good();
  j["normalizer"]["lowercase"] = true;
  io::write_file(dir / "tokenizer.json", j.dump());
  EXPECT_TRUE(WordPiece::from_directory(dir.path()).options().lowercase);
}

TEST(FromDirectory, ConfigErrorsNameTheFile) {
  const TempFolder dir;
  io::write_file(dir / "vocab.txt", kVocab);
  io::write_file(dir / "tokenizer_config.json", R"({"do_lower_case": "yes"})");
  EXPECT_ERROR(WordPiece::from_directory(dir.path()),
               Code::kCorruptData,
               "tokenizer_config.json: do_lower_case is no boolean");
  io::write_file(dir / "tokenizer_config.json", R"({"sep_token": "</s>"})");
  EXPECT_ERROR(WordPiece::from_directory(dir.path()),
               Code::kCorruptData,
               "vocab.txt: no token </s>");
}

}  // namespace
}  // namespace kexue::text
