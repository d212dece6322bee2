#include "kexue/text/bpe.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "kexue/io/atomic_file.h"
#include "kexue/io/json.h"
#include "kexue/text/unicode.h"
#include "tests/support/data_files.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::text {
namespace {

using nlohmann::json;
using testing::TempFolder;

// A token for each byte, then those given; ids in this order.
std::vector<std::pair<std::string, int32_t>> bytes_and(
    const std::vector<std::string>& more) {
  std::vector<std::pair<std::string, int32_t>> out;
  char32_t next = 0x100;
  for (char32_t b = 0; b < 256; ++b) {
    const bool prints = (b > 0x20 && b < 0x7F) || (b > 0xA0 && b != 0xAD);
    out.emplace_back(encode(std::u32string(1, prints ? b : next++)),
                     static_cast<int32_t>(b));
  }
  for (const auto& token : more) {
    out.emplace_back(token, static_cast<int32_t>(out.size()));
  }
  return out;
}

Bpe tiny() {
  return Bpe(bytes_and({"ab", "abc", "bc", "<e>"}),
             {{"b", "c"}, {"a", "b"}, {"ab", "c"}},
             {.added = {{"<e>", 259}}},
             "test");
}

TEST(Bpe, GoldenIdsOfGpt2) {
  const auto folder = testing::data_path("vocab");
  KEXUE_SKIP_WITHOUT(folder + "/gpt2_vocab.bpe");
  const auto bpe = Bpe::from_directory(folder);
  EXPECT_EQ(bpe.size(), 50257);
  const auto golden = io::parse_json_file(testing::golden_path("bpe.json"));
  ASSERT_GT(golden["items"].size(), 100u);
  for (const auto& item : golden["items"]) {
    const auto text = item["text"].get<std::string>();
    const auto ids = bpe.encode(text);
    EXPECT_EQ(ids, item["ids"].get<std::vector<int32_t>>()) << text;
    EXPECT_EQ(bpe.decode(ids), text);
  }
}

TEST(Bpe, LowestRankFirstThenLeftmost) {
  const auto bpe = tiny();
  // "bc" has rank 0, so "abc" is a + bc, and never ab + c.
  EXPECT_EQ(bpe.encode("abc"), (std::vector<int32_t>{'a', 258}));
  EXPECT_EQ(bpe.encode("abab"), (std::vector<int32_t>{256, 256}));
  EXPECT_EQ(bpe.token(258), "bc");
  EXPECT_EQ(bpe.encode(""), std::vector<int32_t>{});
}

TEST(Bpe, AnyBytesComeBack) {
  const auto bpe = tiny();
  std::string all;
  for (int b = 0; b < 256; ++b) all += static_cast<char>(b);
  EXPECT_EQ(bpe.decode(bpe.encode(all)), all);
}

TEST(Bpe, AddedTokensAreFoundInTheRawText) {
  const auto bpe = tiny();
  EXPECT_EQ(bpe.encode("ab<e>ab<e"),
            (std::vector<int32_t>{256, 259, 256, '<', 'e'}));
  EXPECT_EQ(bpe.decode(std::vector<int32_t>{259, 'a'}), "<e>a");
}

TEST(Bpe, DigitsAreCutOffFirst) {
  const Bpe bpe(bytes_and({"12"}), {{"1", "2"}}, {.single_digits = true}, "t");
  std::vector<std::string_view> parts;
  bpe.split("a 12 b", parts);
  EXPECT_EQ(parts, (std::vector<std::string_view>{"a", " ", "1", "2", " b"}));
}

TEST(Bpe, LongPartsTakeNoSquareOfTime) {
  const auto bpe = tiny();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(bpe.encode(std::string(1 << 20, 'z')).size(), size_t{1} << 20);
  std::string ab;
  for (int i = 0; i < 300'000; ++i) ab += "ab";
  EXPECT_EQ(bpe.encode(ab).size(), 300'000u);
  // A square would take hours.
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::minutes(2));
}

json good() {
  json vocab;
  for (const auto& [token, id] : bytes_and({"ab"})) vocab[token] = id;
  return {
      {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"a b"}}}},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
      {"added_tokens", {{{"id", 300}, {"content", "<x>"}}}}};
}

TEST(Bpe, TokenizerJsonAndFiles) {
  const TempFolder dir;
  io::write_file(dir / "tokenizer.json", good().dump());
  const auto bpe = Bpe::from_directory(dir.path());
  EXPECT_EQ(bpe.encode("ab<x>"), (std::vector<int32_t>{256, 300}));
  EXPECT_EQ(bpe.size(), 301);
  EXPECT_ERROR(bpe.token(299), Code::kInvalidArgument, "no token has id 299");
  const TempFolder two;
  io::write_file(two / "vocab.json", good()["model"]["vocab"].dump());
  io::write_file(two / "merges.txt", "#version: 0.2\r\na b\r\n");
  EXPECT_EQ(Bpe::from_directory(two.path()).encode("ab"),
            (std::vector<int32_t>{256}));
  io::write_file(two / "merges.txt", "#version: 0.2\na b\nab\n");
  EXPECT_ERROR(Bpe::from_directory(two.path()),
               Code::kCorruptData,
               "merges.txt:3: \"ab\" is no two tokens");
  EXPECT_ERROR(Bpe::from_directory(dir / "no"), Code::kNotFound, "neither");
}

TEST(Bpe, BadFiles) {
  const TempFolder dir;
  const auto fails =
      [&](const char* pointer, const json& value, Code code, const char* what) {
        json bad = good();
        bad[json::json_pointer(pointer)] = value;
        io::write_file(dir / "tokenizer.json", bad.dump());
        EXPECT_ERROR(Bpe::from_directory(dir.path()), code, what);
      };
  const auto corrupt = Code::kCorruptData;
  const auto unsupported = Code::kUnsupported;
  fails("/model", 3, corrupt, "no model");
  fails("/model/type", "Unigram", unsupported, "model \"Unigram\"");
  fails("/model/byte_fallback", true, unsupported, "byte_fallback");
  fails("/model/end_of_word_suffix", "</w>", unsupported, "end_of_word_suffix");
  fails("/model/vocab", 1, corrupt, "no object");
  fails("/model/vocab/a", -1, corrupt, "not in 0..2^24-1");
  fails("/model/vocab/a", 1.5, corrupt, "not in 0..2^24-1");
  fails("/model/vocab/a", 98, corrupt, "id 98 is");
  fails("/model/vocab", json::object(), corrupt, "is no token");
  fails("/model/merges", 1, corrupt, "merges is no list");
  fails("/model/merges", {"a b", "a b"}, corrupt, "twice");
  fails("/model/merges", {"a c"}, corrupt, "the merge \"ac\" is no token");
  fails("/model/merges", {"a"}, corrupt, "merge 1: \"a\" is no two tokens");
  fails("/model/merges", {1}, corrupt, "merge 1: no two tokens");
  fails("/normalizer", {{"type", "NFC"}}, unsupported, "normalizer \"NFC\"");
  fails("/pre_tokenizer", nullptr, unsupported, "pre_tokenizer");
  fails("/pre_tokenizer/add_prefix_space", true, unsupported, "prefix_space");
  fails("/pre_tokenizer/use_regex", false, unsupported, "its pattern");
  fails("/added_tokens", 1, corrupt, "added_tokens is no list");
  fails("/added_tokens/0/id", -3, corrupt, "not in 0..2^24-1");
  fails("/added_tokens/0/id", 97, corrupt, "id 97 is");
  fails("/added_tokens/0/lstrip", true, unsupported, "with lstrip");
}

}  // namespace
}  // namespace kexue::text
