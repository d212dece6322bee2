#include "kexue/train/inference.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/error_matchers.h"
#include "tests/support/session_fixture.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_bert.h"

namespace kexue::train {
namespace {

using models::Bert;
using testing::tiny_config;

class InferenceTest : public testing::SessionTest {
 protected:
  std::string folder(const std::vector<std::string>& labels) {
    testing::write_bert_folder(temp_.path(), tiny_config(labels));
    return temp_.path();
  }

 private:
  testing::TempFolder temp_;
};

std::vector<std::string> texts(int count) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i) {
    std::string text;
    for (int k = 0; k <= i * 7 % 40; ++k) {
      text += static_cast<char>('a' + (i + k) % 26);
      text += ' ';
    }
    out.push_back(text);
  }
  return out;
}

TEST_F(InferenceTest, RowsComeBackInTheirOrder) {
  const std::string path = folder({});
  Inference all(
      session(), path, {.batch_size = 4, .max_buckets = 3}, Head::kNone);
  Inference single(session(), path, {.batch_size = 1}, Head::kNone);
  const auto lines = texts(19);
  const auto got = all.embed(lines, Bert::Pooling::kMean);
  ASSERT_EQ(got.size(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto want = single.embed({lines[i]}, Bert::Pooling::kMean)[0];
    for (size_t k = 0; k < want.size(); ++k) {
      EXPECT_NEAR(got[i][k], want[k], 1e-5) << i;
    }
  }
  EXPECT_LE(all.report().programs, 3);
  EXPECT_EQ(all.report().truncated, 0);
}

TEST_F(InferenceTest, EmbeddingIgnoresTheClassifier) {
  const std::string path = folder({"a", "b", "c"});
  Inference inference(session(), path, {}, Head::kClassifier);
  const auto line = texts(1);
  EXPECT_EQ(inference.embed(line, Bert::Pooling::kCls)[0].size(), 16U);
  EXPECT_EQ(inference.logits(line)[0].size(), 3U);
  EXPECT_EQ(inference.logits(line, line)[0].size(), 3U);
}

TEST_F(InferenceTest, NoTextsGiveNoRows) {
  Inference inference(session(), folder({}), {}, Head::kNone);
  EXPECT_TRUE(inference.embed({}, Bert::Pooling::kCls).empty());
  EXPECT_EQ(inference.report().programs, 0);
}

TEST_F(InferenceTest, LongTextsAreCutAndCounted) {
  Inference inference(session(), folder({}), {.max_length = 8}, Head::kNone);
  inference.embed({"a", std::string("a b c d e f g h i j k")},
                  Bert::Pooling::kCls);
  EXPECT_EQ(inference.report().truncated, 1);
}

TEST_F(InferenceTest, PositionTableThatIsNoMultipleOf16Works) {
  models::BertConfig c = tiny_config();
  c.positions = 21;
  const testing::TempFolder temp;
  testing::write_bert_folder(temp.path(), c);
  Inference inference(session(), temp.path(), {}, Head::kNone);
  EXPECT_EQ(inference.embed(texts(6), Bert::Pooling::kCls).size(), 6U);
  EXPECT_GT(inference.report().truncated, 0);
}

TEST_F(InferenceTest, ModelWithoutClassifierIsAnErrorThatSaysSo) {
  EXPECT_ERROR(Inference(session(), folder({}), {}, Head::kClassifier),
               Code::kNotFound,
               "no classifier",
               "kexue train");
}

TEST_F(InferenceTest, OptionsAreChecked) {
  const std::string path = folder({});
  EXPECT_ERROR(Inference(session(), path, {.batch_size = 0}, Head::kNone),
               Code::kInvalidArgument,
               "batch_size");
  EXPECT_ERROR(Inference(session(), path, {.max_length = 65}, Head::kNone),
               Code::kInvalidArgument,
               "position table has 64 rows");
  Inference inference(session(), folder({"x", "y"}), {}, Head::kClassifier);
  EXPECT_ERROR(inference.logits({"a", "b"}, {"c"}),
               Code::kInvalidArgument,
               "2 texts, but 1 second texts");
}

TEST(Probabilities, AreASoftmax) {
  const auto p = probabilities({1000, 1000, 0});
  EXPECT_EQ(p[0], 0.5);
  EXPECT_EQ(p[2], 0);
  EXPECT_TRUE(probabilities({}).empty());
}

}  // namespace
}  // namespace kexue::train
