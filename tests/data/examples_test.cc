#include "kexue/data/examples.h"

#include <gtest/gtest.h>

#include "tests/support/error_matchers.h"

namespace kexue::data {
namespace {

text::WordPiece make_tokenizer() {
  std::vector<text::Vocabulary::Entry> entries;
  for (const char* t : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b"}) {
    entries.emplace_back(static_cast<int32_t>(entries.size()), t);
  }
  return text::WordPiece(
      text::Vocabulary(std::move(entries), "##", "t"), {}, {}, "t");
}

TEST(Encode, SingleTextsAndTruncation) {
  Dataset d;
  d.texts = {"a b", "a", "b b b b"};
  d.labels = {1, 0, 1};
  const auto e = encode(d, make_tokenizer(), 4);
  EXPECT_EQ(e.truncated, 1);
  EXPECT_EQ(e.rows[0].ids, (std::vector<int32_t>{2, 4, 5, 3}));
  EXPECT_EQ(e.rows[1].ids, (std::vector<int32_t>{2, 4, 3}));
  EXPECT_EQ(e.rows[2].ids.size(), 4u);
  EXPECT_EQ(e.rows[2].label, 1);
}

TEST(Encode, PairsGetTypes) {
  Dataset d;
  d.texts = {"a"};
  d.second_texts = {"b"};
  const auto e = encode(d, make_tokenizer(), 16);
  EXPECT_EQ(e.rows[0].ids, (std::vector<int32_t>{2, 4, 3, 5, 3}));
  EXPECT_EQ(e.rows[0].types, (std::vector<int32_t>{0, 0, 0, 1, 1}));
}

TEST(Encode, ThreadsChangeNothing) {
  Dataset d;
  for (int i = 0; i < 5000; ++i) {
    d.texts.push_back(i % 3 == 0 ? "a b a" : "b");
    d.labels.push_back(i % 2);
  }
  const auto tokenizer = make_tokenizer();
  const auto one = encode(d, tokenizer, 4, 1);
  const auto four = encode(d, tokenizer, 4, 4);
  EXPECT_EQ(one.truncated, four.truncated);
  for (size_t i = 0; i < one.rows.size(); ++i) {
    ASSERT_EQ(one.rows[i].ids, four.rows[i].ids);
    ASSERT_EQ(one.rows[i].label, four.rows[i].label);
  }
}

TEST(Encode, ErrorsLeaveTheThreads) {
  Dataset d;
  d.texts.assign(5000, "a");
  EXPECT_ERROR(
      encode(d, make_tokenizer(), 1, 4), Code::kInvalidArgument, "max_len 1");
}

}  // namespace
}  // namespace kexue::data
