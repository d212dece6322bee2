#include "kexue/train/run_folder.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/file_limit.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_bert.h"

namespace kexue::train {
namespace {

using testing::random_values;
using testing::TempFolder;
using testing::tiny_config;

std::vector<HostArray> values_of(uint64_t seed) {
  models::Bert model({.config = tiny_config({"a", "b"})});
  return random_values(model.parameters(), seed);
}

// The weights in a saved folder, as one hash-free comparison.
bool holds(const std::string& folder, const std::vector<HostArray>& values) {
  const auto loaded = models::load_bert(
      folder, {.new_labels = {}, .want_classifier = true, .key = {}});
  if (loaded.values.size() != values.size()) return false;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!loaded.values[i].identical(values[i])) return false;
  }
  return true;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> out;
  io::real_fs().list(folder, &out);
  return out;
}

TEST(RunFolder, UsedFolderIsRefusedAndUntouched) {
  const TempFolder temp;
  io::write_file(temp / "notes.txt", "mine");
  EXPECT_ERROR(RunFolder(temp.path()),
               Code::kInvalidArgument,
               "holds 1 files already, notes.txt",
               "hint: choose another");
  EXPECT_EQ(temp.names(), std::vector<std::string>{"notes.txt"});
  EXPECT_ERROR(
      RunFolder(temp / "notes.txt"), Code::kInvalidArgument, "not a folder");
}

TEST(RunFolder, SecondRunInTheSameFolderIsRefused) {
  const TempFolder temp;
  const RunFolder first(temp / "a/b");
  EXPECT_ERROR(RunFolder(temp / "a/b"), Code::kInvalidArgument, "a/b");
}

TEST(RunFolder, MetricsAreWholeLinesInOrder) {
  const TempFolder temp;
  RunFolder run(temp / "r");
  run.append_metrics("{\"a\":1}");
  run.append_metrics("{\"a\":2}");
  run.sync_metrics();
  EXPECT_EQ(io::read_file(temp / "r/metrics.jsonl", 1000),
            "{\"a\":1}\n{\"a\":2}\n");
}

TEST(RunFolder, ReopenedRunGoesOnWithItsMetrics) {
  const TempFolder temp;
  EXPECT_FALSE(RunFolder::is_run(temp / "r"));
  {
    RunFolder run(temp / "r");
    run.append_metrics("one");
    EXPECT_EQ(run.metrics_bytes(), 4u);
    run.append_metrics("two");
    EXPECT_ERROR(RunFolder::reopened(temp / "r"),
                 Code::kInvalidArgument,
                 "another process");
  }
  EXPECT_TRUE(RunFolder::is_run(temp / "r"));
  RunFolder run = RunFolder::reopened(temp / "r");
  EXPECT_FALSE(run.cut_metrics(100));
  EXPECT_TRUE(run.cut_metrics(4));
  run.append_metrics("2");
  EXPECT_EQ(io::read_file(temp / "r/metrics.jsonl", 1000), "one\n2\n");
  run.refuse_finished();
  std::filesystem::create_directory(temp / "r/model");
  EXPECT_ERROR(run.refuse_finished(),
               Code::kInvalidArgument,
               "this run is over",
               "hint: choose another");
}

TEST(RunFolder, SavedModelReadsBackWithItsTokenizer) {
  const TempFolder temp;
  testing::write_bert_folder(temp.path(), tiny_config());
  const RunFolder run(temp / "r");
  const auto values = values_of(1);
  run.save_model(tiny_config({"a", "b"}), values, temp.path());
  EXPECT_TRUE(holds(run.model_path(), values));
  EXPECT_EQ(names_in(run.model_path()),
            (std::vector<std::string>{
                "config.json", "model.safetensors", "vocab.txt"}));
}

TEST(RunFolder, NewModelReplacesTheOldOne) {
  const TempFolder temp;
  testing::write_bert_folder(temp.path(), tiny_config());
  const RunFolder run(temp / "r");
  run.save_model(tiny_config({"a", "b"}), values_of(1), temp.path());
  run.save_model(tiny_config({"a", "b"}), values_of(2), temp.path());
  EXPECT_TRUE(holds(run.model_path(), values_of(2)));
  EXPECT_EQ(names_in(run.path()),
            (std::vector<std::string>{"metrics.jsonl", "model", "run.lock"}));
}

TEST(RunFolder, FullDiskKeepsThePreviousModel) {
  const TempFolder temp;
  testing::write_bert_folder(temp.path(), tiny_config());
  const RunFolder run(temp / "r");
  const auto values = values_of(1);
  run.save_model(tiny_config({"a", "b"}), values, temp.path());
  {
    const testing::FileLimit limit(8192);
    EXPECT_ERROR(
        run.save_model(tiny_config({"a", "b"}), values_of(2), temp.path()),
        Code::kIo,
        "File too large",
        "hint: free some space");
  }
  EXPECT_TRUE(holds(run.model_path(), values));
  EXPECT_EQ(names_in(run.path()),
            (std::vector<std::string>{"metrics.jsonl", "model", "run.lock"}));
}

TEST(RunFolder, FullDiskShowsInTheMetricsToo) {
  const TempFolder temp;
  RunFolder run(temp / "r");
  const testing::FileLimit limit(10);
  EXPECT_ERROR(run.append_metrics("a long line"), Code::kIo, "metrics.jsonl");
}

}  // namespace
}  // namespace kexue::train
