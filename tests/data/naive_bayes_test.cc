#include "kexue/data/naive_bayes.h"

#include <gtest/gtest.h>

#include "tests/support/data_files.h"
#include "tests/support/error_matchers.h"

namespace kexue::data {
namespace {

Dataset make(std::vector<std::string> texts, std::vector<int32_t> labels) {
  Dataset d;
  d.classes = {"0", "1"};
  d.texts = std::move(texts);
  d.labels = std::move(labels);
  return d;
}

// Features: a, b | c. n(0) = 3 {a, b, ab}, n(1) = 1 {c}, V = 4.
// "a": class 0 gives 1/2 * 2/7, class 1 gives 1/2 * 1/5.
// "c": class 0 gives 1/2 * 1/7, class 1 gives 1/2 * 2/5.
TEST(NaiveBayes, SmallCaseByHand) {
  const NaiveBayes nb(make({"ab", "c"}, {0, 1}));
  EXPECT_EQ(nb.predict("a"), 0);
  EXPECT_EQ(nb.predict("c"), 1);
  EXPECT_EQ(nb.predict("cab"), 0);
  EXPECT_EQ(nb.predict("ccab"), 1);
  EXPECT_EQ(nb.predict(""), 0);        // a tie of the priors
  EXPECT_EQ(nb.predict("unseen"), 0);  // unseen features say nothing
}

TEST(NaiveBayes, PriorsCount) {
  const NaiveBayes nb(make({"x", "y", "z"}, {1, 1, 0}));
  EXPECT_EQ(nb.predict(""), 1);
}

TEST(NaiveBayes, AccuracyIsTheShareOfRightAnswers) {
  const auto d = make({"ab", "c"}, {0, 1});
  const NaiveBayes nb(d);
  EXPECT_EQ(nb.accuracy(d), 1.0);
  EXPECT_EQ(nb.accuracy(make({"a", "a"}, {0, 1})), 0.5);
}

TEST(NaiveBayes, LabelsAreNeeded) {
  EXPECT_ERROR(
      NaiveBayes(make({"a"}, {})), Code::kInvalidArgument, "without labels");
}

TEST(NaiveBayes, ReachesThePublishedBaselineOnReviews) {
  const auto train = testing::data_path("zh_text/zh_sentiment.train.tsv");
  const auto test = testing::data_path("zh_text/zh_sentiment.test.tsv");
  KEXUE_SKIP_WITHOUT(train);
  const auto training = read_dataset(train);
  EXPECT_EQ(training.size(), 13'875u);
  const auto testing_rows = read_dataset(test, {.classes = training.classes});
  EXPECT_EQ(testing_rows.size(), 1'762u);
  // 1,390 of 1,762.
  EXPECT_NEAR(NaiveBayes(training).accuracy(testing_rows), 0.7889, 5e-5);
}

}  // namespace
}  // namespace kexue::data
