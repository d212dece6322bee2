// Ids of the reference implementation for published vocabularies.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kexue/io/json.h"
#include "kexue/text/wordpiece.h"
#include "tests/support/data_files.h"

namespace kexue::text {
namespace {

using testing::data_path;
using testing::golden_path;

TEST(WordPieceGolden, AwkwardStringsInTwoVocabularies) {
  const auto zh = data_path("bge_zh/vocab.txt");
  const auto en = data_path("minilm/vocab.txt");
  KEXUE_SKIP_WITHOUT(zh);
  KEXUE_SKIP_WITHOUT(en);
  const auto chinese = WordPiece::from_vocab_file(zh);
  const auto english = WordPiece::from_vocab_file(en);
  const auto golden = io::parse_json_file(golden_path("tokenizers.json"));
  ASSERT_EQ(golden["items"].size(), 10u);
  for (const auto& item : golden["items"]) {
    const auto& w =
        item["vocabulary"] == "bert_base_chinese" ? chinese : english;
    std::vector<int32_t> ids;
    std::vector<std::string> tokens;
    for (const Token& t : w.tokenize(item["text"].get<std::string>())) {
      ids.push_back(t.id);
      tokens.push_back(w.token(t.id));
    }
    EXPECT_EQ(ids, item["ids"].get<std::vector<int32_t>>()) << item["text"];
    if (item.contains("tokens")) {
      EXPECT_EQ(tokens, item["tokens"].get<std::vector<std::string>>());
    }
  }
}

void check_single(const std::string& folder, const std::string& golden_name) {
  const auto w = WordPiece::from_directory(folder);
  const auto golden = io::parse_json_file(golden_path(golden_name));
  ASSERT_FALSE(golden["items"].empty());
  for (const auto& item : golden["items"]) {
    EXPECT_EQ(w.encode(item["text"].get<std::string>()).ids,
              item["ids"].get<std::vector<int32_t>>())
        << item["text"];
  }
}

TEST(WordPieceGolden, BgeSmallZh) {
  const auto folder = data_path("bge_zh");
  KEXUE_SKIP_WITHOUT(folder);
  check_single(folder, "bge_small_zh_v15.json");
}

TEST(WordPieceGolden, MiniLm) {
  const auto folder = data_path("minilm");
  KEXUE_SKIP_WITHOUT(folder);
  check_single(folder, "minilm_l6_v2.json");
}

TEST(WordPieceGolden, RerankerPairs) {
  const auto folder = data_path("reranker/reranker_en");
  KEXUE_SKIP_WITHOUT(folder);
  const auto w = WordPiece::from_directory(folder);
  const auto golden =
      io::parse_json_file(golden_path("reranker_msmarco_l12.json"));
  ASSERT_FALSE(golden["items"].empty());
  for (const auto& item : golden["items"]) {
    const auto e = w.encode_pair(item["a"].get<std::string>(),
                                 item["b"].get<std::string>());
    EXPECT_EQ(e.ids, item["ids"].get<std::vector<int32_t>>());
    EXPECT_EQ(e.types, item["types"].get<std::vector<int32_t>>());
  }
}

}  // namespace
}  // namespace kexue::text
