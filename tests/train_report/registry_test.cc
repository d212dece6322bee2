#include "kexue/train/registry.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "kexue/train/run_query.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/train_report/made_up_run.h"

namespace kexue::train {
namespace {

namespace fs = std::filesystem;
using testing::TempFolder;

RunEntry entry(const std::string& id, const std::string& folder) {
  RunEntry e;
  e.id = id;
  e.folder = folder;
  e.status = "done";
  e.config_hash = "0123456789ab";
  e.config = "[train]\nlr = 5e-05\nseed = 1\n";
  e.started = 1000;
  e.ended = 1600.5;
  e.steps = 40;
  e.total_steps = 40;
  e.metrics = {{"dev.accuracy", 0.875}, {"dev.loss", 0.25}, {"loss", NAN}};
  return e;
}

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_registry()) GTEST_SKIP() << "built without SQLite";
  }
  std::string path() const { return dir_ / "runs/registry.sqlite"; }
  std::string run(const std::string& name) const {
    return dir_ / ("runs/" + name);
  }
  void make_run(const std::string& name) const {
    fs::create_directories(run(name));
    testing::write_run(run(name), testing::run_lines(3));
  }
  Registry open() const { return {path(), Registry::Open::kCreate}; }

  TempFolder dir_;
};

TEST_F(RegistryTest, GivesBackWhatWasPut) {
  open().put(entry("0000000a", run("a")));
  const auto all = Registry(path(), Registry::Open::kExisting).entries();
  ASSERT_EQ(all.size(), 1u);
  const RunEntry& e = all[0];
  EXPECT_EQ(e.id, "0000000a");
  EXPECT_EQ(e.folder, run("a"));
  EXPECT_EQ(e.status, "done");
  EXPECT_EQ(e.config_hash, "0123456789ab");
  EXPECT_EQ(e.config, entry("", "").config);
  EXPECT_EQ(e.started, 1000);
  EXPECT_EQ(e.ended, 1600.5);
  EXPECT_EQ(e.steps, 40);
  ASSERT_EQ(e.metrics.size(), 3u);
  EXPECT_EQ(e.metrics[0],
            (std::pair<std::string, double>("dev.accuracy", 0.875)));
  EXPECT_TRUE(std::isnan(e.metrics[2].second));
}

TEST_F(RegistryTest, ARunHasOneEntry) {
  {
    Registry registry = open();
    registry.put(entry("0000000a", run("a")));
    RunEntry later = entry("0000000a", run("a"));
    later.steps = 80;
    registry.put(later);
    registry.put(entry("0000000b", run("a")));  // another run, same folder
  }
  const auto all = open().entries();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].id, "0000000b");
}

TEST_F(RegistryTest, AllOfRunsCanBeMoved) {
  make_run("a");
  open().put(entry("0000000a", run("a")));
  open().put(entry("0000000b", "/elsewhere/b"));
  fs::rename(dir_ / "runs", dir_ / "moved");
  const auto all =
      Registry(dir_ / "moved/registry.sqlite", Registry::Open::kExisting)
          .entries();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].folder, dir_ / "moved/a");
  EXPECT_EQ(all[1].folder, "/elsewhere/b");
}

TEST_F(RegistryTest, HostileTextIsBoundNotPasted) {
  RunEntry e = entry("0000000a", run("a'); DROP TABLE runs; --"));
  e.note = "'; DELETE FROM runs; \xff\n\x1b[2J";
  e.metrics = {{"a\"b'", 1}};
  open().put(e);
  const auto all = open().entries();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].folder, e.folder);
  EXPECT_EQ(all[0].note, e.note);
  EXPECT_EQ(all[0].metrics, e.metrics);
}

TEST_F(RegistryTest, WhatIsNoRegistryIsRefused) {
  EXPECT_ERROR(Registry(path(), Registry::Open::kExisting),
               Code::kNotFound,
               "no such registry");
  fs::create_directories(dir_ / "runs");
  std::ofstream(path()) << std::string(4096, 'x');
  EXPECT_ERROR(
      open(), Code::kCorruptData, path(), "not a database", "runs rebuild");
  // A database cut in the middle.
  fs::remove(path());
  {
    Registry registry = open();
    for (int i = 0; i < 50; ++i) {
      registry.put(
          entry("000000" + std::to_string(10 + i), run(std::to_string(i))));
    }
  }
  fs::resize_file(path(), fs::file_size(path()) / 2);
  EXPECT_ERROR(open().entries(), Code::kCorruptData, path(), "malformed");
}

TEST_F(RegistryTest, RebuildingFindsEveryRun) {
  make_run("a");
  make_run("group/b");
  make_run("broken");
  std::ofstream(run("broken") + "/metrics.jsonl") << "{]\n";
  const TempFolder elsewhere;
  testing::write_run(elsewhere.path(), testing::run_lines(5));
  std::ofstream(path()) << "not a database at all";
  const Rebuilt made = rebuild_registry(path(), {elsewhere.path()});
  EXPECT_EQ(made.runs, 3u);
  ASSERT_EQ(made.problems.size(), 1u);
  EXPECT_NE(made.problems[0].find("broken/metrics.jsonl:1"), std::string::npos);
  const auto all = open().entries();
  ASSERT_EQ(all.size(), 3u);
  for (const RunEntry& e : all) {
    EXPECT_EQ(e.status, "done") << e.folder;
    EXPECT_EQ(field(e, "train.lr"), "5e-05");
    EXPECT_EQ(field(e, "dev.accuracy"), "0.8786");
    EXPECT_FALSE(std::isnan(e.started) || std::isnan(e.ended));
  }
  // What lies elsewhere is known from now on.
  EXPECT_EQ(rebuild_registry(path(), {}).runs, 3u);
  EXPECT_ERROR(rebuild_registry(path(), {dir_ / "none"}),
               Code::kNotFound,
               "no such folder");
}

TEST_F(RegistryTest, TheFolderKeepsTheId) {
  make_run("a");
  std::ofstream(run("a") + "/run.json")
      << R"({"id":"0badcafe","started":123.5,"kexue":"0.1.0"})";
  RunEntry e = entry_of(run("a"));
  EXPECT_EQ(e.id, "0badcafe");
  EXPECT_EQ(e.started, 123.5);
  // A copy is a run of its own.
  fs::copy(run("a"), run("b"));
  rebuild_registry(path(), {});
  const auto all = open().entries();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_NE(all[0].id, all[1].id);
  std::ofstream(run("a") + "/run.json") << R"({"id":"../../x","started":1})";
  EXPECT_ERROR(entry_of(run("a")), Code::kCorruptData, "run.json");
}

TEST_F(RegistryTest, StatusIsWhatTheLockSays) {
  make_run("a");
  testing::write_run(run("a"), testing::step_line(1, 9, 0.5));  // no end
  const std::string lock = run("a") + "/run.lock";
  const int fd = ::open(lock.c_str(), O_CREAT | O_RDWR, 0600);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  RunEntry e = entry_of(run("a"));
  EXPECT_EQ(e.status, "running");
  look_at_folder(&e);
  EXPECT_EQ(e.status, "running");
  ::close(fd);  // as a killed process does
  look_at_folder(&e);
  EXPECT_EQ(e.status, "killed");
  EXPECT_FALSE(e.vanished);
  EXPECT_EQ(entry_of(run("a")).status, "killed");
  fs::remove_all(run("a"));
  look_at_folder(&e);
  EXPECT_TRUE(e.vanished);
}

TEST_F(RegistryTest, FailedAndInterruptedRunsSaySo) {
  make_run("a");
  testing::write_run(run("a"),
                     testing::step_line(1, 9, 0.5) +
                         R"({"kind":"error","step":1,"text":"no luck"})"
                         "\n");
  EXPECT_EQ(entry_of(run("a")).status, "failed");
  EXPECT_EQ(entry_of(run("a")).note, "no luck");
  std::string done = testing::done_line(1);
  done.replace(done.find("\"interrupted\":false"), 19, "\"interrupted\":true");
  testing::write_run(run("a"), testing::step_line(1, 9, 0.5) + done);
  EXPECT_EQ(entry_of(run("a")).status, "interrupted");
}

// Queries need no registry.

std::vector<RunEntry> three() {
  std::vector<RunEntry> out = {entry("0000000a", "/r/one"),
                               entry("0000000b", "/r/two"),
                               entry("00bb0000", "/s/two")};
  out[1].config = "[train]\nlr = 2e-05\nseed = 1\n";
  out[1].metrics = {{"dev.accuracy", 0.9}};
  out[2].status = "failed";
  out[2].metrics = {};
  return out;
}

std::string ids(const std::vector<RunEntry>& runs) {
  std::string out;
  for (const RunEntry& run : runs) out += run.id.substr(0, 8) + " ";
  return out;
}

std::string where(const std::string& condition) {
  return ids(select_runs(three(), {parse_condition(condition)}));
}

TEST(RunQuery, ConditionsCompareNumbersAsNumbers) {
  EXPECT_EQ(where("train.lr=0.00002"), "0000000b ");
  EXPECT_EQ(where("train.lr>=2e-5"), "0000000a 0000000b 00bb0000 ");
  EXPECT_EQ(where("dev.accuracy>0.88"), "0000000b ");
  EXPECT_EQ(where("dev.accuracy<=0.875"), "0000000a ");
  EXPECT_EQ(where("status!=done"), "00bb0000 ");
  EXPECT_EQ(where("name=two"), "0000000b 00bb0000 ");
  EXPECT_EQ(where("steps<9"), "");
  EXPECT_ERROR(where("no.such>1"), Code::kInvalidArgument, "\"no.such\"");
  for (const char* bad : {"", "train.lr", "=3", "a!3"}) {
    EXPECT_ERROR(parse_condition(bad), Code::kInvalidArgument, "must be KEY");
  }
}

TEST(RunQuery, RunsWithoutTheFieldComeLast) {
  auto runs = three();
  sort_runs(&runs, "dev.accuracy", true);
  EXPECT_EQ(ids(runs), "0000000b 0000000a 00bb0000 ");
  sort_runs(&runs, "dev.accuracy", false);
  EXPECT_EQ(ids(runs), "0000000a 0000000b 00bb0000 ");
  EXPECT_ERROR(sort_runs(&runs, "x", false), Code::kInvalidArgument, "\"x\"");
}

TEST(RunQuery, ARunIsFoundByIdFolderOrName) {
  const auto runs = three();
  EXPECT_EQ(find_run(runs, "0000000b").folder, "/r/two");
  EXPECT_EQ(find_run(runs, "/s/two").id, "00bb0000");
  EXPECT_EQ(find_run(runs, "one").id, "0000000a");
  EXPECT_EQ(find_run(runs, "00bb").id, "00bb0000");
  EXPECT_ERROR(
      find_run(runs, "two"), Code::kInvalidArgument, "0000000b", "00bb0000");
  EXPECT_ERROR(find_run(runs, "0000"), Code::kInvalidArgument, "0000000a");
  EXPECT_ERROR(find_run(runs, "00b"), Code::kNotFound, "no run \"00b\"");
}

TEST(RunQuery, ComparisonLeavesOutWhatIsEqual) {
  const auto both = compare_runs({three()[0], three()[1]});
  ASSERT_EQ(both.config.size(), 1u);
  EXPECT_EQ(both.config[0].first, "train.lr");
  EXPECT_EQ(both.config[0].second,
            (std::vector<std::string>{"5e-05", "2e-05"}));
  EXPECT_EQ(both.equal_settings, 1u);
  EXPECT_EQ(both.metrics[0].second, (std::vector<std::string>{"0.875", "0.9"}));
  EXPECT_EQ(both.metrics[1].second, (std::vector<std::string>{"0.25", ""}));
}

}  // namespace
}  // namespace kexue::train
