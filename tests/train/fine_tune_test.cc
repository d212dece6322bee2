#include "kexue/train/fine_tune.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kexue/data/dataset.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/checkpoint.h"
#include "kexue/io/json.h"
#include "kexue/train/inference.h"
#include "tests/support/error_matchers.h"
#include "tests/support/file_limit.h"
#include "tests/support/session_fixture.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_bert.h"

namespace kexue::train {
namespace {

// Label 1 if the text has more a than b: the model can learn it.
std::string rows(int count, uint64_t seed) {
  Random random(Key::from_seed(seed));
  std::string out;
  for (int i = 0; i < count; ++i) {
    const bool positive = i % 2 == 0;
    std::string text;
    const uint64_t words = 3 + random.below(20);
    for (uint64_t w = 0; w < words; ++w) {
      const char letter = random.below(3) == 0
                              ? static_cast<char>('c' + random.below(20))
                              : (positive ? 'a' : 'b');
      text += std::string(w > 0 ? " " : "") + letter;
    }
    out += std::string(positive ? "pos" : "neg") + "\t" + text + "\n";
  }
  return out;
}

class Recorder final : public Observer {
 public:
  void message(const std::string& line) override {
    messages += line + "\n";
    if (on_message) on_message();
  }
  void step(const StepReport& r) override {
    steps.push_back(r);
    if (on_step) on_step(r.step);
    if (stop != nullptr && r.step == stop_at) *stop = true;
  }
  void eval(const EvalReport& r) override { evals.push_back(r); }
  void saved(const std::string&, int64_t step) override {
    saves.push_back(step);
    if (on_saved) on_saved();
  }

  std::string messages;
  std::vector<StepReport> steps;
  std::vector<EvalReport> evals;
  std::vector<int64_t> saves;
  std::function<void(int64_t)> on_step;
  std::atomic<bool>* stop = nullptr;
  int64_t stop_at = 0;
  std::function<void()> on_saved;
  std::function<void()> on_message;
};

class FineTune : public testing::SessionTest {
 protected:
  void SetUp() override {
    testing::SessionTest::SetUp();
    if (IsSkipped()) return;
    models::BertConfig bert = testing::tiny_config();
    bert.hidden = 64;
    bert.heads = 4;
    bert.inner = 128;
    std::filesystem::create_directory(temp_ / "model");
    testing::write_bert_folder(temp_ / "model", bert);
    io::write_file(temp_ / "train.tsv", rows(60, 1));
    io::write_file(temp_ / "dev.tsv", rows(20, 2));
    io::write_file(temp_ / "test.tsv", rows(20, 3));
    config_.model = temp_ / "model";
    config_.train_file = temp_ / "train.tsv";
    config_.dev_file = temp_ / "dev.tsv";
    config_.test_file = temp_ / "test.tsv";
    config_.folder = temp_ / "run";
    config_.registry = temp_ / "registry.sqlite";
    config_.precision = "f32";
    config_.max_length = 32;
    config_.max_buckets = 2;
    config_.batch_size = 8;
    config_.epochs = 2;
    config_.lr = 2e-3;
  }

  FineTuneResult run() { return fine_tune(session(), config_, seen_, stop_); }

  std::vector<nlohmann::json> metrics() const {
    std::istringstream lines(
        io::read_file(temp_ / "run/metrics.jsonl", 1 << 20));
    std::vector<nlohmann::json> out;
    for (std::string line; std::getline(lines, line);) {
      out.push_back(io::parse_json(line, "metrics"));
    }
    return out;
  }

  testing::TempFolder temp_;
  RunConfig config_;
  Recorder seen_;
  std::atomic<bool> stop_ = false;
};

TEST_F(FineTune, LearnsAndLeavesACompleteFolder) {
  const FineTuneResult r = run();
  EXPECT_FALSE(r.interrupted);
  EXPECT_EQ(r.steps, static_cast<int64_t>(seen_.steps.size()));
  ASSERT_EQ(r.evals.size(), 3U);  // dev after each epoch, then test
  EXPECT_EQ(r.evals[2].split, "test");
  EXPECT_EQ(r.evals[2].rows, 20);
  EXPECT_GE(metric(r.evals[2].metrics, "accuracy"), 0.9);
  EXPECT_LT(r.evals[2].loss, 0.5);
  EXPECT_EQ(seen_.saves, std::vector<int64_t>{r.steps});
  EXPECT_NE(seen_.messages.find("budget 2"), std::string::npos);
  EXPECT_NE(seen_.messages.find("new parameters: classifier.weight"),
            std::string::npos);

  for (const char* file : {"config.toml",
                           "environment.json",
                           "metrics.jsonl",
                           "report.html",
                           "model/config.json",
                           "model/model.safetensors",
                           "model/vocab.txt"}) {
    EXPECT_TRUE(std::filesystem::exists(temp_ / ("run/" + std::string(file))))
        << file;
  }
  EXPECT_EQ(read_run_config(temp_ / "run/config.toml"), config_);
  const auto env = io::parse_json_file(temp_ / "run/environment.json");
  EXPECT_EQ(env["platform"], session().client().platform_name());
  EXPECT_EQ(env["plugin"]["path"], session().client().plugin().path().string());
  const auto lines = metrics();
  ASSERT_EQ(lines.size(), static_cast<size_t>(r.steps) + 4);
  EXPECT_EQ(lines.front()["kind"], "step");
  EXPECT_EQ(lines.front()["step"], 1);
  EXPECT_EQ(lines.back()["kind"], "done");
  EXPECT_EQ(lines.back()["steps"], r.steps);
}

TEST_F(FineTune, ScheduleWarmsUpAndEndsAtZero) {
  config_.epochs = 3;
  config_.warmup_ratio = 0.25;
  config_.test_file = "";
  run();
  const auto total = static_cast<double>(seen_.steps.size());
  const double warmup = std::round(0.25 * total);
  for (const StepReport& s : seen_.steps) {
    const double before = static_cast<double>(s.step - 1);
    const double want =
        before < warmup ? before / warmup : (total - before) / (total - warmup);
    EXPECT_NEAR(s.lr, config_.lr * want, 1e-8) << s.step;
    EXPECT_EQ(s.total_steps, static_cast<int64_t>(total));
    EXPECT_GT(s.tokens, 0);
    EXPECT_GE(s.padded_tokens, s.tokens);
  }
}

TEST_F(FineTune, SavedModelClassifiesAsEvaluated) {
  const FineTuneResult r = run();
  Inference model(session(), temp_ / "run/model", {}, Head::kClassifier);
  EXPECT_EQ(model.config().labels, (std::vector<std::string>{"neg", "pos"}));
  const auto test =
      data::read_dataset(config_.test_file, {.classes = model.config().labels});
  const auto logits = model.logits(test.texts);
  int correct = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const auto p = probabilities(logits[i]);
    correct += (p[1] > p[0]) == (test.labels[i] == 1) ? 1 : 0;
    EXPECT_NEAR(p[0] + p[1], 1, 1e-12);
  }
  EXPECT_NEAR(
      correct / 20.0, metric(r.evals.back().metrics, "accuracy"), 1e-12);
}

TEST_F(FineTune, SameSeedGivesTheSameModel) {
  config_.precision = "bf16";
  config_.max_steps = 4;
  run();
  const auto read = [&](const char* folder) {
    return io::read_file(
        temp_ / (std::string(folder) + "/model/model.safetensors"), 1 << 24);
  };
  const std::string first = read("run");
  config_.folder = temp_ / "again";
  run();
  EXPECT_EQ(first, read("again"));
  config_.seed = 1;
  config_.folder = temp_ / "other";
  run();
  EXPECT_NE(first, read("other"));
}

TEST_F(FineTune, StopSavesTheModelAndSaysInterrupted) {
  seen_.stop = &stop_;
  seen_.stop_at = 3;
  const FineTuneResult r = run();
  EXPECT_TRUE(r.interrupted);
  EXPECT_EQ(r.steps, 3);
  EXPECT_TRUE(r.evals.empty());
  // The model, then a checkpoint to go on from.
  EXPECT_EQ(seen_.saves, (std::vector<int64_t>{3, 3}));
  EXPECT_TRUE(std::filesystem::exists(temp_ / "run/model/model.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(
      temp_ / "run/checkpoints/step-0000000003/manifest.json"));
  EXPECT_EQ(metrics().back()["interrupted"], true);
}

TEST_F(FineTune, FullDiskKeepsTheLastCheckpoint) {
  config_.save_every = 2;
  config_.max_steps = 6;
  std::unique_ptr<testing::FileLimit> limit;
  seen_.on_saved = [&] {
    limit = std::make_unique<testing::FileLimit>(32'768);
  };
  EXPECT_ERROR(run(), Code::kIo, "File too large");
  limit.reset();
  EXPECT_EQ(seen_.saves, std::vector<int64_t>{2});
  io::CheckpointStore store(temp_ / "run/checkpoints");
  EXPECT_EQ(store.steps(), std::vector<int64_t>{2});
  EXPECT_EQ(io::read_checkpoint(store.path(2)).step, 2);
  EXPECT_EQ(metrics().back()["kind"], "error");
}

TEST_F(FineTune, FullDiskIsAWarningIfAskedFor) {
  config_.save_every = 2;
  config_.max_steps = 6;
  config_.on_save_error = "continue";
  std::unique_ptr<testing::FileLimit> limit;
  seen_.on_step = [&](int64_t step) {
    if (step == 2) limit = std::make_unique<testing::FileLimit>(32'768);
  };
  seen_.on_message = [&] {
    if (seen_.messages.find("is not saved") != std::string::npos) limit.reset();
  };
  run();
  EXPECT_NE(seen_.messages.find("warning: step 2 is not saved: "),
            std::string::npos)
      << seen_.messages;
  EXPECT_NE(seen_.messages.find("File too large"), std::string::npos);
  EXPECT_EQ(seen_.saves, (std::vector<int64_t>{4, 6, 6}));
}

TEST_F(FineTune, ResumedRunEqualsAnUninterruptedOne) {
  config_.max_steps = 6;
  config_.folder = temp_ / "whole";
  run();
  config_.folder = temp_ / "parts";
  config_.save_every = 2;
  seen_ = {};
  seen_.stop = &stop_;
  seen_.stop_at = 3;
  EXPECT_TRUE(run().interrupted);
  seen_.stop_at = 5;
  config_.resume = "auto";
  stop_ = false;
  EXPECT_TRUE(run().interrupted);
  EXPECT_NE(seen_.messages.find("going on from step 3 of "), std::string::npos);
  stop_ = false;
  const FineTuneResult r = run();
  EXPECT_EQ(r.steps, 6);
  EXPECT_FALSE(r.interrupted);
  std::vector<int64_t> steps;
  for (const auto& s : seen_.steps) steps.push_back(s.step);
  EXPECT_EQ(steps, (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(io::read_file(temp_ / "whole/model/model.safetensors", 1 << 24),
            io::read_file(temp_ / "parts/model/model.safetensors", 1 << 24));
}

TEST_F(FineTune, ResumeNamesTheKeyThatChanged) {
  config_.max_steps = 2;
  config_.save_every = 1;
  run();
  config_.resume = "auto";
  config_.keep_last = 1;  // may change
  run();
  config_.lr = 0.25;
  EXPECT_ERROR(run(),
               Code::kInvalidArgument,
               "resume from step 2: train.lr was ",
               "but is 0.25 now",
               "hint: give the value the run began with");
}

TEST_F(FineTune, LearnsWithAnotherRuleAndWhatGoesAroundIt) {
  config_.optimizer = {{"ema", 0.5},
                       {"fgm", 0.1},
                       {"lazy_rows", optim::NameList{"embeddings.word"}},
                       {"lookahead", 3.0},
                       {"name", std::string("lamb")},
                       {"schedule", std::string("cosine")}};
  config_.lr = 1e-2;
  config_.max_buckets = 1;
  config_.dev_file = "";
  const FineTuneResult r = run();
  EXPECT_LT(seen_.steps.back().loss, seen_.steps.front().loss);
  EXPECT_LT(r.evals.back().loss, seen_.steps.front().loss);
  EXPECT_EQ(read_run_config(temp_ / "run/config.toml").optimizer,
            config_.optimizer);
}

TEST_F(FineTune, NonFiniteLossStops) {
  config_.lr = 1e30;
  config_.warmup_ratio = 0;
  config_.clip_norm = 0;
  EXPECT_ERROR(run(),
               Code::kInvalidArgument,
               "is not finite; the first op to go wrong is ",
               " in bert/",
               "smaller lr");
  EXPECT_FALSE(std::filesystem::exists(temp_ / "run/model"));
  EXPECT_EQ(metrics().back()["kind"], "error");
}

TEST_F(FineTune, HundredSkippedStepsStop) {
  config_.precision = "fp16";
  config_.loss_scale = "1e38";
  config_.max_steps = 200;
  EXPECT_ERROR(run(),
               Code::kInvalidArgument,
               "100 steps skipped in a row, the last at loss scale 1e+38",
               "independent of the scale",
               "first bad tensor: none without dropout and scale; the first "
               "op to go wrong is ",
               "(backward)");
  EXPECT_EQ(seen_.steps.size(), 100U);
  EXPECT_TRUE(seen_.steps.back().skipped);
}

TEST_F(FineTune, AScaleThatFallsBelowItsLeastStops) {
  config_.precision = "fp16";
  config_.loss_scale = "dynamic";
  config_.min_loss_scale = 40000;  // the first halving: 32768
  config_.lr = 1e30;
  config_.warmup_ratio = 0;
  config_.clip_norm = 0;
  config_.max_steps = 200;
  EXPECT_ERROR(run(),
               Code::kInvalidArgument,
               "1 step skipped in a row, the last at loss scale 65536",
               "independent of the scale");
}

TEST_F(FineTune, FewerSkipsCanBeAllowed) {
  config_.precision = "fp16";
  config_.loss_scale = "1e38";
  config_.max_skips = 3;
  EXPECT_ERROR(
      run(), Code::kInvalidArgument, "3 steps skipped in a row, the last");
  EXPECT_EQ(seen_.steps.size(), 3U);
}

TEST_F(FineTune, ForcedScalesAndGroupsAreFollowed) {
  config_.max_steps = 2;
  config_.precision = "f32";
  config_.loss_scale = "1024";
  config_.force_loss_scale = true;
  config_.group_metrics = true;
  run();
  EXPECT_NE(seen_.messages.find("loss scale \"1024\" is not needed"),
            std::string::npos);
  EXPECT_EQ(seen_.steps[0].scale, 1024);
  const auto row = metrics().front();
  EXPECT_GT(row["grad_norm/encoder.ffn"], 0);
  EXPECT_GT(row["moved/classifier"], 0);
  EXPECT_LE(row["moved/classifier"], 1);
  EXPECT_LT(row["zero_gradients/encoder.attention"], 1);
}

TEST_F(FineTune, WarnsAboutScalesThatDoNotFitThePrecision) {
  config_.max_steps = 1;
  config_.loss_scale = "dynamic";
  run();
  EXPECT_NE(seen_.messages.find("loss scale \"dynamic\" is ignored"),
            std::string::npos);
  EXPECT_EQ(seen_.steps[0].scale, 1);
  config_.precision = "fp16";
  config_.loss_scale = "none";
  config_.folder = temp_ / "fp16";
  run();
  EXPECT_NE(seen_.messages.find("2^-25 = 2.98e-08"), std::string::npos);
}

TEST_F(FineTune, BadInputIsNamedBeforeAnythingIsWritten) {
  io::write_file(temp_ / "dev.tsv", "pos\ta b\nmaybe\ta a\n");
  EXPECT_ERROR(run(), Code::kCorruptData, "dev.tsv:2", "maybe");
  io::write_file(temp_ / "dev.tsv", "pos\ta b\npos\t\xFF\n");
  EXPECT_ERROR(run(), Code::kCorruptData, "dev.tsv:2");
  EXPECT_FALSE(std::filesystem::exists(temp_ / "run"));
  config_.skip_bad_lines = true;
  config_.max_steps = 1;
  run();
  EXPECT_NE(seen_.messages.find("dev.tsv: 1 lines skipped"), std::string::npos)
      << seen_.messages;
}

TEST_F(FineTune, OneClassIsRefused) {
  io::write_file(temp_ / "train.tsv", "pos\ta\npos\tb\n");
  EXPECT_ERROR(run(), Code::kInvalidArgument, "one class only, \"pos\"");
}

TEST_F(FineTune, SequencesBeyondThePositionTableAreRefused) {
  config_.max_length = 65;
  EXPECT_ERROR(run(),
               Code::kInvalidArgument,
               "up to 65 tokens",
               "position table has 64 rows",
               "max_length of at most 64");
}

TEST_F(FineTune, TokenizerOfAnotherModelIsRefused) {
  io::write_file(temp_ / "model/vocab.txt",
                 testing::tiny_vocabulary() + "extra\n");
  EXPECT_ERROR(
      run(), Code::kInvalidArgument, "tokenizer has 58 ids", "table 57 rows");
}

TEST_F(FineTune, UsedFolderIsRefused) {
  std::filesystem::create_directory(temp_ / "run");
  io::write_file(temp_ / "run/precious.txt", "x");
  EXPECT_ERROR(run(), Code::kInvalidArgument, "precious.txt");
}

}  // namespace
}  // namespace kexue::train
