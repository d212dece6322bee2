#include "kexue/train/detail/predictions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::train::detail {
namespace {

using testing::TempFolder;

// Rows from `first` on, with the ids 10 r, 10 r + 1; a last row that only
// fills up the batch.
data::Minibatch batch_of(int64_t first, size_t rows) {
  data::Minibatch out;
  std::vector<int32_t> ids;
  for (size_t r = 0; r < rows; ++r) {
    out.rows.push_back(first + static_cast<int64_t>(r));
    ids.push_back(static_cast<int32_t>(10 * out.rows.back()));
    ids.push_back(ids.back() + 1);
  }
  out.rows.push_back(-1);
  ids.insert(ids.end(), {0, 0});
  const auto n = static_cast<int64_t>(rows + 1);
  out.arrays["ids"] = HostArray::of<int32_t>({n, 2}, ids);
  return out;
}

void set_labels(data::Minibatch* batch, std::vector<int32_t> labels) {
  labels.push_back(0);
  const auto n = static_cast<int64_t>(labels.size());
  batch->arrays["label"] = HostArray::of<int32_t>({n}, labels);
}

// Logits whose softmax is (1 - p, p).
std::vector<HostArray> outputs_of(const std::vector<double>& p) {
  std::vector<float> logits;
  for (const double q : p) {
    logits.push_back(0);
    logits.push_back(static_cast<float>(std::log(q / (1 - q))));
  }
  logits.insert(logits.end(), {0, 0});
  const auto n = static_cast<int64_t>(p.size() + 1);
  return {HostArray::of<float>({3}, std::vector<float>{1, 2, 3}),
          HostArray::of<float>({n, 2}, logits)};
}

std::string first_id(std::span<const int32_t> ids) {
  return ids.empty() ? "none" : std::to_string(ids[0]);
}

TEST(Predictions, CountsConfusionCalibrationAndSamples) {
  PredictionCollector collector({"bad", "good"});
  data::Minibatch batch = batch_of(0, 4);
  set_labels(&batch, {1, 0, 1, 0});
  collector.add(outputs_of({0.9, 0.2, 0.05, 0.7}), batch);
  batch = batch_of(4, 1);
  set_labels(&batch, {1});
  collector.add(outputs_of({0.9}), batch);
  const Predictions p = collector.finish("dev", 7, first_id);
  EXPECT_EQ(p.rows, 5);
  EXPECT_EQ(p.step, 7);
  EXPECT_EQ(p.confusion, (std::vector<int64_t>{1, 1, 1, 2}));
  // Probabilities of what was guessed: 0.9 0.8 0.95 0.7 0.9; right: yes yes
  // no no yes. Of 15 bins: [.9333, 1) holds 0.95, [.8667, .9333) 0.9 twice,
  // [.8, .8667) 0.8 (or its neighbour: it lies on the border), [.6667, .7333)
  // 0.7.
  EXPECT_EQ(p.bins[14].rows, 1);
  EXPECT_EQ(p.bins[13].rows, 2);
  EXPECT_EQ(p.bins[11].rows + p.bins[12].rows, 1);
  EXPECT_EQ(p.bins[10].rows, 1);
  EXPECT_NEAR(p.bins[13].confidence, 0.9, 1e-6);
  EXPECT_EQ(p.bins[13].accuracy, 1);
  EXPECT_NEAR(p.calibration_error, (2 * 0.1 + 0.2 + 0.95 + 0.7) / 5, 1e-6);
  // -log p(truth): 0.05 is worse than 0.3.
  ASSERT_EQ(p.wrong.size(), 2u);
  EXPECT_EQ(p.wrong[0].row, 2);
  EXPECT_EQ(p.wrong[0].text, "20");
  EXPECT_EQ(p.wrong[0].truth, 1);
  EXPECT_EQ(p.wrong[0].predicted, 0);
  EXPECT_NEAR(p.wrong[0].probability, 0.95, 1e-6);
  EXPECT_EQ(p.wrong[1].row, 3);
  EXPECT_EQ(p.right.size(), 3u);
  EXPECT_EQ(p.confidences.size(), 5u);
}

TEST(Predictions, StaysSmallForManyRows) {
  PredictionCollector collector({"bad", "good"});
  for (int64_t b = 0; b < 100; ++b) {
    data::Minibatch batch = batch_of(50 * b, 50);
    set_labels(&batch, std::vector<int32_t>(50, 1));
    std::vector<double> p(50, 0.6);
    p[static_cast<size_t>(b % 50)] = 0.001 + 0.0001 * static_cast<double>(b);
    collector.add(outputs_of(p), batch);
  }
  const Predictions p =
      collector.finish("test", 1, [](auto) { return std::string(5000, 'x'); });
  EXPECT_EQ(p.rows, 5000);
  ASSERT_EQ(p.wrong.size(), kWrongSamples);
  for (size_t i = 0; i < p.wrong.size(); ++i) {  // batch i has the i-th worst
    EXPECT_EQ(p.wrong[i].row, static_cast<int64_t>(51 * i));
  }
  EXPECT_EQ(p.right.size(), kRightSamples);
  EXPECT_LE(to_json(p).size(), 40'000u);
}

TEST(Predictions, ScoresGiveAScatter) {
  PredictionCollector collector({});
  data::Minibatch batch = batch_of(0, 3);
  batch.arrays["target"] =
      HostArray::of<float>({4}, std::vector<float>{1, 2, NAN, 0});
  collector.add({HostArray::of<float>({4}, std::vector<float>{1.5f, -2, 3, 0})},
                batch);
  const Predictions p = collector.finish("dev", 1, first_id);
  EXPECT_EQ(p.rows, 2);
  EXPECT_EQ(p.not_finite, 1);
  EXPECT_EQ(p.scatter,
            (std::vector<std::pair<double, double>>{{1, 1.5}, {2, -2}}));
  EXPECT_EQ(p.wrong[0].row, 1);
  EXPECT_EQ(p.right.size(), 2u);
  EXPECT_TRUE(p.bins.empty());
}

TEST(Predictions, UnknownOutputsAreLeftAlone) {
  PredictionCollector collector({});
  data::Minibatch batch = batch_of(0, 1);
  collector.add({HostArray::of<float>({3}, std::vector<float>{1, 2, 3})},
                batch);
  // Labels of tokens, not of rows.
  batch.arrays["label"] =
      HostArray::of<int32_t>({2, 2}, std::vector<int32_t>{1, 2, 3, 4});
  collector.add(outputs_of({0.5}), batch);
  EXPECT_TRUE(collector.empty());
  // Logits that are not finite are counted, not shown.
  set_labels(&batch, {1});
  auto outputs = outputs_of({0.5});
  outputs[1].mutable_span<float>()[1] = NAN;
  collector.add(outputs, batch);
  EXPECT_EQ(collector.finish("dev", 1, first_id).not_finite, 1);
}

TEST(Predictions, FileGivesBackWhatWasWritten) {
  PredictionCollector collector({"a\"</script>", "b"});
  data::Minibatch batch = batch_of(0, 3);
  set_labels(&batch, {1, 0, 1});
  collector.add(outputs_of({0.9, 0.8, 0.05}), batch);
  const Predictions p = collector.finish("dev", 7, first_id);
  const TempFolder dir;
  const std::string file = dir / predictions_file("dev");
  io::write_file(file, std::string_view(to_json(p)));
  const Predictions q = read_predictions(file);
  EXPECT_EQ(to_json(q), to_json(p));
  EXPECT_EQ(q.classes, p.classes);
  EXPECT_EQ(q.wrong[0].text, p.wrong[0].text);
}

TEST(Predictions, MalformedFilesAreCorrupt) {
  const TempFolder dir;
  const std::string file = dir / "p.json";
  PredictionCollector collector({"a", "b"});
  data::Minibatch batch = batch_of(0, 1);
  set_labels(&batch, {1});
  collector.add(outputs_of({0.9}), batch);
  const std::string good = to_json(collector.finish("dev", 7, first_id));
  const auto refuse = [&](const std::string& from,
                          const std::string& to,
                          const std::string& text) {
    std::string bad = good;
    const size_t at = bad.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    io::write_file(file, std::string_view(bad.replace(at, from.size(), to)));
    EXPECT_ERROR(read_predictions(file), Code::kCorruptData, file, text);
  };
  refuse("\"rows\":1", "\"rows\":-1", "\"rows\" must hold integers");
  refuse("\"classes\"", "\"klasses\"", "no \"classes\"");
  refuse("[0,0,0,1]", "[0,0,0]", "3 counts for 2 classes");
  refuse("\"scatter\":[]", "\"scatter\":[[1]]", "pairs of numbers");
  refuse("\"split\":\"dev\"", "\"split\":1", "\"split\" must hold text");
  refuse("\"wrong\":[]", "\"wrong\":{}", "list of at most 12");
  refuse("{", "[", "byte");
}

}  // namespace
}  // namespace kexue::train::detail
