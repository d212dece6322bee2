// What the tasks add to a run: regression, masked language models, class
// weights, early stopping, streams.
#include "kexue/train/task.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "kexue/io/atomic_file.h"
#include "kexue/io/safetensors.h"
#include "kexue/train/fine_tune.h"
#include "kexue/train/inference.h"
#include "tests/support/error_matchers.h"
#include "tests/support/session_fixture.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_bert.h"

namespace kexue::train {
namespace {

// Rows of only a or only b, 3 to 12 of them; `labels` for a and b.
std::string rows(int count, const char* a, const char* b) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    const bool first = i % 2 == 0;
    std::string text;
    for (int w = 0; w < 3 + i % 10; ++w) text += first ? "a " : "b ";
    out += std::string(first ? a : b) + "\t" + text + "\n";
  }
  return out;
}

class Messages final : public Observer {
 public:
  void message(const std::string& line) override { text += line + "\n"; }
  void step(const StepReport& r) override { losses.push_back(r.loss); }
  void saved(const std::string&, int64_t step) override {
    saves.push_back(step);
  }
  std::string text;
  std::vector<double> losses;
  std::vector<int64_t> saves;
};

class Tasks : public testing::SessionTest {
 protected:
  void SetUp() override {
    testing::SessionTest::SetUp();
    if (IsSkipped()) return;
    config_.folder = temp_ / "run";
    config_.train_file = temp_ / "train.tsv";
    config_.precision = "f32";
    config_.max_length = 16;
    config_.positions = 16;
    config_.max_buckets = 1;
    config_.batch_size = 8;
    config_.lr = 5e-3;
    config_.layers = 1;
    config_.hidden = 32;
    config_.heads = 2;
    config_.dropout = 0;
  }

  void write(const std::string& name, const std::string& text) {
    io::write_file(temp_ / name, text);
  }
  FineTuneResult run() { return fine_tune(session(), config_, seen_, stop_); }
  std::unique_ptr<Task> task() {
    return make_task(config_, [](const std::string&) {});
  }

  testing::TempFolder temp_;
  RunConfig config_;
  Messages seen_;
  std::atomic<bool> stop_ = false;
};

TEST_F(Tasks, RegressionLearnsScores) {
  write("train.tsv", rows(80, "1.5", "-0.5"));
  write("test.tsv", rows(20, "1.5", "-0.5") + "0.25\ta a\n");
  config_.task = "regress";
  config_.test_file = temp_ / "test.tsv";
  config_.sign_margin = 0.4;
  config_.epochs = 3;
  const auto result = run();
  const EvalReport& test = result.evals.back();
  EXPECT_EQ(test.rows, 21);
  EXPECT_LT(test.loss, 0.2);
  EXPECT_EQ(test.loss, metric(test.metrics, "mse"));
  EXPECT_EQ(test.metrics.front().first, "pearson");
  EXPECT_GT(metric(test.metrics, "pearson"), 0.9);
  EXPECT_GT(metric(test.metrics, "spearman"), 0.8);
  EXPECT_EQ(metric(test.metrics, "sign_accuracy"), 1);
  // One score a text, near the wanted ones.
  Inference model(session(), temp_ / "run/model", {}, Head::kClassifier);
  EXPECT_EQ(model.config().labels, std::vector<std::string>{"score"});
  const auto scores = model.logits({"a a a a a", "b b b b b"});
  EXPECT_NEAR(scores[0][0], 1.5, 0.6);
  EXPECT_NEAR(scores[1][0], -0.5, 0.6);
}

TEST_F(Tasks, MaskedLmBeatsGuessingByFrequency) {
  write("train.tsv", rows(160, "0", "1"));
  write("test.tsv", rows(40, "0", "1"));
  config_.task = "masked_lm";
  config_.test_file = temp_ / "test.tsv";
  config_.epochs = 3;
  const auto result = run();
  const auto& m = result.evals.back().metrics;
  // Both letters are as frequent: one of two, and add-one smoothing over the
  // nine tokens ([PAD] ... [MASK], a, ##a, b, ##b).
  EXPECT_NEAR(metric(m, "unigram_perplexity"), 2, 0.05);
  EXPECT_NEAR(metric(m, "unigram_accuracy"), 0.5, 0.2);
  EXPECT_GT(metric(m, "accuracy"), 0.9);
  EXPECT_LT(metric(m, "perplexity"), 1.5);
  EXPECT_NEAR(
      std::log(metric(m, "perplexity")), result.evals.back().loss, 1e-12);
  EXPECT_NE(seen_.text.find("a new model:"), std::string::npos);

  const std::string folder = temp_ / "run/model";
  // The more frequent letter comes first: which one, the rows decide.
  EXPECT_THAT(
      io::read_file(folder + "/vocab.txt", 1000),
      ::testing::AnyOf("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\nb\n##b\n",
                       "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nb\n##b\na\n##a\n"));
  const auto weights = io::Safetensors::open(folder + "/model.safetensors");
  EXPECT_TRUE(weights.contains("cls.predictions.transform.dense.weight"));
  EXPECT_TRUE(weights.contains("cls.predictions.bias"));
  Inference model(session(), folder, {}, Head::kNone);
  EXPECT_EQ(model.embed({"a b"}, models::Bert::Pooling::kCls)[0].size(), 32U);

  // Goes on from that folder with the head it has.
  config_.model = folder;
  config_.layers = config_.hidden = config_.heads = 0;
  config_.folder = temp_ / "again";
  config_.max_steps = 1;
  config_.lr = 1e-9;
  const auto again = run();
  EXPECT_NEAR(again.evals.back().loss, result.evals.back().loss, 1e-4);
}

TEST_F(Tasks, RDropAndVatActOnTheLossOfATask) {
  write("train.tsv", rows(80, "0", "1"));
  const auto first_loss = [&](const optim::OptionList& options) {
    config_.optimizer = options;
    config_.folder = temp_ / ("run-" + std::to_string(seen_.losses.size()));
    run();
    return seen_.losses.back();
  };
  config_.max_steps = 1;
  for (const char* task : {"classify", "masked_lm"}) {
    config_.task = task;
    const double plain = first_loss({});
    // Without dropout both predictions of r_drop are one, so vat alone adds.
    EXPECT_GT(first_loss({{"r_drop", 4.0}, {"vat", 1.0}}), plain + 1e-3);
  }
}

TEST_F(Tasks, MasksDependOnSeedEpochAndRowOnly) {
  write("train.tsv", rows(40, "0", "1"));
  config_.task = "masked_lm";
  config_.min_count = 1;
  const auto one = task();
  config_.batch_size = 5;
  const auto other = task();
  // Row -> what is in its ids, over one epoch of each.
  const auto masked = [](const Task& t, int64_t epoch, Task::Phase phase) {
    std::map<int64_t, std::vector<int32_t>> out;
    const auto batches = t.train_batches();
    batches->seek({epoch, 0, {}});
    for (int64_t i = 0; i < batches->batches_per_epoch(); ++i) {
      auto b = batches->next();
      t.prepare(b, phase);
      const auto ids = b.arrays.at("ids").span<int32_t>();
      const auto length = ids.size() / b.rows.size();
      for (size_t r = 0; r < b.rows.size(); ++r) {
        if (b.rows[r] < 0) continue;
        const auto row = ids.subspan(r * length, length);
        out[b.rows[r]] = {row.begin(), row.end()};
      }
    }
    return out;
  };
  using enum Task::Phase;
  EXPECT_EQ(masked(*one, 0, kTrain), masked(*other, 0, kTrain));
  EXPECT_NE(masked(*one, 0, kTrain), masked(*one, 1, kTrain));
  EXPECT_EQ(masked(*one, 0, kEvaluate), masked(*one, 1, kEvaluate));
  config_.seed = 1;
  EXPECT_NE(masked(*other, 0, kTrain), masked(*task(), 0, kTrain));
}

TEST_F(Tasks, ClassWeightsMultiplyTheRowsOfTraining) {
  write("train.tsv", "x\ta\nx\tb\nx\ta b\ny\tb b\n");
  const auto weights = [&](Task::Phase phase) {
    const auto t = task();
    auto b = t->train_batches()->next();
    t->prepare(b, phase);
    std::map<int32_t, float> out;
    for (size_t r = 0; r < 4; ++r) {
      out[b.arrays.at("label").span<int32_t>()[r]] =
          b.arrays.at("weight").span<float>()[r];
    }
    return out;
  };
  using Weights = std::map<int32_t, float>;
  EXPECT_EQ(weights(Task::Phase::kTrain), (Weights{{0, 1}, {1, 1}}));
  config_.class_weights = "auto";  // 4 / (2 3) and 4 / (2 1)
  EXPECT_EQ(weights(Task::Phase::kTrain),
            (Weights{{0, static_cast<float>(4.0 / 6)}, {1, 2}}));
  EXPECT_EQ(weights(Task::Phase::kEvaluate), (Weights{{0, 1}, {1, 1}}));
  config_.class_weights = "3, 0.5";
  EXPECT_EQ(weights(Task::Phase::kTrain), (Weights{{0, 3}, {1, 0.5F}}));
  config_.class_weights = "1, 2, 3";
  EXPECT_ERROR(task(), Code::kInvalidArgument, "has 3 numbers for 2 classes");
}

// With the mode turned round, the second evaluation is worse for sure.
TEST_F(Tasks, EarlyStopKeepsTheBestModel) {
  write("train.tsv", rows(80, "0", "1"));
  write("dev.tsv", rows(20, "0", "1"));
  config_.dev_file = config_.test_file = temp_ / "dev.tsv";
  config_.epochs = 20;
  config_.patience = 2;
  config_.stop_mode = "max";
  const auto result = run();
  EXPECT_TRUE(result.stopped_early);
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(result.steps, 30);
  EXPECT_EQ(seen_.saves, std::vector<int64_t>{10});
  // dev three times, then the test split with the model of the first.
  ASSERT_EQ(result.evals.size(), 4U);
  EXPECT_EQ(result.evals[3].loss, result.evals[0].loss);
  EXPECT_LT(result.evals[2].loss, result.evals[0].loss);
  EXPECT_NE(seen_.text.find("after step 10: this is the model"),
            std::string::npos);

  config_.stop_metric = "pearson";
  config_.folder = temp_ / "other";
  EXPECT_ERROR(run(),
               Code::kInvalidArgument,
               "this task has no \"pearson\", but loss, accuracy");
  EXPECT_FALSE(std::filesystem::exists(temp_ / "other"));
}

TEST_F(Tasks, StreamsTrainAsFilesInMemoryDo) {
  write("train.tsv", rows(80, "0", "1"));
  write("test.tsv", rows(20, "0", "1"));
  config_.test_file = temp_ / "test.tsv";
  config_.epochs = 3;
  const auto memory = run();
  config_.stream = true;
  config_.shuffle_buffer = 30;
  config_.folder = temp_ / "stream";
  const auto stream = run();
  EXPECT_EQ(stream.steps, memory.steps);
  EXPECT_EQ(stream.padding_share, memory.padding_share);
  EXPECT_GT(metric(stream.evals.back().metrics, "accuracy"), 0.9);
}

}  // namespace
}  // namespace kexue::train
