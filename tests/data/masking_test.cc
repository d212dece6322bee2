#include "kexue/data/masking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "tests/support/error_matchers.h"

namespace kexue::data {
namespace {

using Style = MaskOptions::Style;

// 0-4 special, 5..54 "w0".., 55..64 "##p0"...
text::WordPiece tokenizer(bool with_mask = true) {
  std::vector<text::Vocabulary::Entry> entries;
  const auto add = [&](const std::string& token) {
    entries.emplace_back(static_cast<int32_t>(entries.size()), token);
  };
  for (const char* t : {"[PAD]", "[UNK]", "[CLS]", "[SEP]"}) add(t);
  add(with_mask ? "[MASK]" : "other");
  for (int i = 0; i < 50; ++i) add(std::string("w") + std::to_string(i));
  for (int i = 0; i < 10; ++i) add(std::string("##p") + std::to_string(i));
  return text::WordPiece(
      text::Vocabulary(std::move(entries), "##", "test"), {}, {}, "test");
}

// [CLS], n tokens, [SEP].
std::vector<int32_t> row(size_t n) {
  std::vector<int32_t> ids = {2};
  for (size_t i = 0; i < n; ++i)
    ids.push_back(static_cast<int32_t>(5 + i % 50));
  ids.push_back(3);
  return ids;
}

// The counts of the specification: halves to even, at least 1, at most 20.
TEST(Masking, BertCountsFollowTheReference) {
  const Masking m(tokenizer(), {.style = Style::kBert});
  const std::pair<int64_t, int64_t> want[] = {
      {5, 1}, {10, 2}, {128, 19}, {512, 20}, {3, 1}, {30, 4}, {70, 10}};
  for (const auto& [length, count] : want) {
    EXPECT_EQ(m.most_choices(length), count) << length;
    auto ids = row(static_cast<size_t>(length - 2));
    EXPECT_EQ(m.mask(ids, Key::from_seed(1)).positions.size(),
              static_cast<size_t>(count));
  }
}

TEST(Masking, ChoicesSayWhatStoodThere) {
  for (const auto style : {Style::kBert, Style::kRoberta}) {
    const Masking m(tokenizer(), {.style = style});
    for (uint64_t seed = 0; seed < 50; ++seed) {
      const auto before = row(60);
      auto ids = before;
      const auto c = m.mask(ids, Key::from_seed(seed));
      std::set<int32_t> chosen;
      for (size_t i = 0; i < c.positions.size(); ++i) {
        const auto at = static_cast<size_t>(c.positions[i]);
        EXPECT_EQ(c.tokens[i], before[at]);
        EXPECT_TRUE(chosen.insert(c.positions[i]).second);
        EXPECT_GT(at, 0U);
        EXPECT_LT(at, 61U);
      }
      for (size_t i = 0; i < ids.size(); ++i) {
        if (!chosen.contains(static_cast<int32_t>(i))) {
          EXPECT_EQ(ids[i], before[i]);
        }
      }
      auto again = before;
      m.mask(again, Key::from_seed(seed));
      EXPECT_EQ(again, ids);
    }
  }
}

// 15 % of tokens; of these 80 % [MASK], 10 % kept, 10 % anything (which is a
// kept one in 1 of 65). Bounds are five standard errors.
TEST(Masking, SharesAreThoseOfTheReference) {
  const Masking m(tokenizer(), {.style = Style::kRoberta});
  double tokens = 0, chosen = 0, masked = 0, kept = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const auto before = row(100);
    auto ids = before;
    const auto c = m.mask(ids, Key::from_seed(7).fold_in(seed));
    tokens += 100;
    chosen += static_cast<double>(c.positions.size());
    for (size_t i = 0; i < c.positions.size(); ++i) {
      const int32_t id = ids[static_cast<size_t>(c.positions[i])];
      masked += id == 4 ? 1 : 0;
      kept += id == c.tokens[i] ? 1 : 0;
    }
  }
  const auto near = [](double share, double p, double n) {
    EXPECT_NEAR(share, p, 5 * std::sqrt(p * (1 - p) / n));
  };
  near(chosen / tokens, 0.15, tokens);
  near(masked / chosen, 0.8 + 0.1 / 65, chosen);
  near(kept / chosen, 0.1 + 0.1 / 65, chosen);
}

TEST(Masking, PiecesGoWithTheirWord) {
  // w0 ##p0 ##p1 w1
  const std::vector<int32_t> before = {2, 5, 55, 56, 6, 3};
  for (const auto style : {Style::kBert, Style::kRoberta}) {
    const Masking whole(tokenizer(), {.style = style, .probability = 0.6});
    bool seen = false;
    for (uint64_t seed = 0; seed < 100; ++seed) {
      auto ids = before;
      const auto p = whole.mask(ids, Key::from_seed(seed)).positions;
      const std::set<int32_t> s(p.begin(), p.end());
      EXPECT_EQ(s.contains(1), s.contains(2));
      EXPECT_EQ(s.contains(1), s.contains(3));
      seen = seen || s.contains(1);
      EXPECT_LE(p.size(), 4U);  // round(0.6 6) = 4
    }
    EXPECT_TRUE(seen);
  }
  // One of three pieces alone, if words do not count.
  const Masking single(tokenizer(),
                       {.style = Style::kBert, .whole_words = false});
  auto ids = before;
  EXPECT_EQ(single.mask(ids, Key::from_seed(0)).positions.size(), 1U);
}

TEST(Masking, BadOptionsAreErrors) {
  EXPECT_ERROR(Masking(tokenizer(false), {}),
               Code::kInvalidArgument,
               "the vocabulary has no [MASK]");
  EXPECT_ERROR(Masking(tokenizer(), {.probability = 0}),
               Code::kInvalidArgument,
               "probability 0 must be in (0, 1)");
  EXPECT_ERROR(Masking(tokenizer(), {.max_predictions = 0}),
               Code::kInvalidArgument,
               "max_predictions 0");
}

}  // namespace
}  // namespace kexue::data
