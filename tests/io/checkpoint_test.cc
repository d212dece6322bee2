#include "kexue/io/checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>

#include "kexue/base/hash.h"
#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/faulty_fs.h"
#include "tests/support/file_limit.h"
#include "tests/support/mem_fs.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::FaultyFs;
using testing::MemFs;
using testing::TempFolder;

constexpr uint64_t kMiB = uint64_t{1} << 20;

constexpr int64_t kSmall = 7;
constexpr int64_t kLarge = 2650;  // one block past the page cache, and 11 kB

// 3 kB or more, different for each step.
Checkpoint made(int64_t step, int64_t rows = kSmall) {
  std::vector<float> values(static_cast<size_t>(100 * rows));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(step) + 0.001F * static_cast<float>(i);
  }
  Checkpoint c;
  c.step = step;
  c.tensors = {{"w", HostArray::of<float>({rows, 100}, values)},
               {"m/w", HostArray::full({DType::kF32, {7}}, 0.5)},
               {"key", HostArray::of<uint32_t>({2}, {1u, 4000000000u})},
               {"step", HostArray::scalar(static_cast<int32_t>(step))}};
  c.progress = R"({"epoch":)";
  c.progress += std::to_string(step) + "}";
  c.config_hash = hash128("config");
  c.fingerprint = "plugin 1";
  return c;
}

void expect_equal(const Checkpoint& got, const Checkpoint& want) {
  EXPECT_EQ(got.step, want.step);
  EXPECT_EQ(got.progress, want.progress);
  EXPECT_EQ(got.config_hash, want.config_hash);
  EXPECT_EQ(got.fingerprint, want.fingerprint);
  EXPECT_EQ(got.score, want.score);
  ASSERT_EQ(got.tensors.size(), want.tensors.size());
  for (size_t i = 0; i < want.tensors.size(); ++i) {
    EXPECT_EQ(got.tensors[i].first, want.tensors[i].first);
    EXPECT_TRUE(got.tensors[i].second.identical(want.tensors[i].second)) << i;
  }
}

std::vector<int64_t> kept(const std::string& folder) {
  return CheckpointStore(folder).steps();
}

TEST(Checkpoint, ReadsBackWhatWasWritten) {
  const TempFolder dir;
  CheckpointStore store(dir / "c");
  Checkpoint c = made(42);
  c.score = 0.875;
  store.save(c);
  EXPECT_EQ(store.path(42), dir / "c/step-0000000042");
  expect_equal(read_checkpoint(store.path(42)), c);
  expect_equal(read_checkpoint(store.path(42) + "/"), c);
  EXPECT_EQ(std::filesystem::exists(dir / "c/step-0000000042/manifest.json"),
            true);
  EXPECT_ERROR(
      store.save(c), Code::kInvalidArgument, "step-0000000042", "already");
}

// As many bytes as make whole blocks, and more or fewer.
TEST(Checkpoint, LargeOnesReadBackWhateverTheirSize) {
  const TempFolder dir;
  CheckpointStore store(dir / "c");
  for (int64_t step = 0; step < 8; ++step) {
    const Checkpoint c = made(step, 2600 + 7 * step);
    store.save(c);
    expect_equal(read_checkpoint(store.path(step)), c);
  }
}

TEST(Checkpoint, NamesAreTenDigits) {
  EXPECT_EQ(step_name(7), "step-0000000007");
  EXPECT_EQ(step_of_name("step-0000000007"), 7);
  for (const char* other : {"step-7",
                            "step-000000007x",
                            ".tmp-0000000007",
                            "step--000000007",
                            "step-00000000070",
                            ""}) {
    EXPECT_EQ(step_of_name(other), std::nullopt) << other;
  }
}

TEST(Checkpoint, NewestThatVerifiesIsTakenAndTheOthersAreNamed) {
  const TempFolder dir;
  CheckpointStore store(dir / "c");
  for (const int64_t step : {1, 2, 3, 4}) store.save(made(step));
  std::filesystem::remove(store.path(4) + "/manifest.json");
  std::filesystem::resize_file(store.path(3) + "/state.safetensors", 100);
  const auto found = store.newest();
  ASSERT_TRUE(found.checkpoint);
  expect_equal(*found.checkpoint, made(2));
  ASSERT_EQ(found.skipped.size(), 2u);
  EXPECT_EQ(found.skipped[0].name, "step-0000000004");
  EXPECT_NE(found.skipped[0].why.find("manifest.json: no such file"),
            std::string::npos);
  EXPECT_EQ(found.skipped[1].name, "step-0000000003");
  EXPECT_NE(found.skipped[1].why.find("100 bytes"), std::string::npos);

  EXPECT_EQ(store.set_aside_after(2),
            (std::vector<std::string>{"aside-step-0000000003",
                                      "aside-step-0000000004"}));
  EXPECT_EQ(store.steps(), (std::vector<int64_t>{1, 2}));
  store.save(made(3));
  EXPECT_EQ(store.set_aside_after(2).size(), 1u);  // beside the first one
  EXPECT_EQ(std::filesystem::exists(dir / "c/aside-step-0000000003"), true);
}

TEST(Checkpoint, NothingToFindInAnEmptyFolder) {
  const TempFolder dir;
  const auto found = CheckpointStore(dir / "c").newest();
  EXPECT_FALSE(found.checkpoint);
  EXPECT_TRUE(found.skipped.empty());
}

TEST(Checkpoint, RotationKeepsTheLastAndTheBest) {
  const TempFolder dir;
  CheckpointStore store(dir / "c");
  const double scores[] = {0.1, 0.9, 0.9, 0.3, 0.5, 0.2};
  for (int64_t step = 1; step <= 6; ++step) {
    Checkpoint c = made(step);
    c.score = scores[step - 1];
    store.save(c);
  }
  store.rotate(2);
  EXPECT_EQ(store.steps(), (std::vector<int64_t>{3, 5, 6}));
  EXPECT_EQ(TempFolder().names().size(), 0u);
  std::vector<std::string> names;
  real_fs().list(dir / "c", &names);
  EXPECT_EQ(names.size(), 3u);  // no .del- is left
}

TEST(Checkpoint, RotationDoesNotCountDamagedOnes) {
  const TempFolder dir;
  {
    CheckpointStore store(dir / "c");
    for (int64_t step = 1; step <= 4; ++step) store.save(made(step));
    for (const int64_t bad : {3, 4}) {
      std::filesystem::remove(store.path(bad) + "/progress.json");
    }
  }
  CheckpointStore(dir / "c").rotate(1);
  EXPECT_EQ(kept(dir / "c"), (std::vector<int64_t>{2, 3, 4}));
}

TEST(Checkpoint, StartRemovesLeftoversButFollowsNoLink) {
  const TempFolder dir;
  CheckpointStore(dir / "c").save(made(1));
  std::filesystem::create_directory(dir / "mine");
  write_file(dir / "mine/file", "precious");
  for (const char* name : {"c/.tmp-5-1-ab", "c/.del-step-0000000003-1-ab"}) {
    std::filesystem::create_directory(dir / name);
    write_file(dir / (std::string(name) + "/state.safetensors"), "half");
  }
  ASSERT_EQ(::symlink((dir / "mine").c_str(), (dir / "c/.tmp-link").c_str()),
            0);
  CheckpointStore(dir / "c");
  std::vector<std::string> names;
  real_fs().list(dir / "c", &names);
  EXPECT_EQ(names, std::vector<std::string>{"step-0000000001"});
  EXPECT_EQ(read_file(dir / "mine/file", kMiB), "precious");
}

TEST(Checkpoint, BadOnesHaveANameThatNobodyResumesFrom) {
  const TempFolder dir;
  CheckpointStore store(dir / "c");
  store.save(made(1));
  store.save_bad(made(2));
  store.save_bad(made(2));
  EXPECT_EQ(store.steps(), std::vector<int64_t>{1});
  EXPECT_EQ(read_checkpoint(dir / "c/.bad-0000000002").step, 2);
}

TEST(Checkpoint, FullDiskLeavesTheOldOne) {
  const TempFolder dir;
  CheckpointStore store(dir / "c");
  store.save(made(1));
  for (const int64_t rows : {kSmall, kLarge}) {
    for (const uint64_t bytes : {1024, 1'052'000}) {
      if (rows == kSmall && bytes > 1024) continue;
      const testing::FileLimit limit(bytes);
      EXPECT_ERROR(store.save(made(2, rows)),
                   Code::kIo,
                   "state.safetensors",
                   "File too large",
                   "hint: free some space");
    }
  }
  std::vector<std::string> names;
  real_fs().list(dir / "c", &names);
  EXPECT_EQ(names, std::vector<std::string>{"step-0000000001"});
  expect_equal(read_checkpoint(store.path(1)), made(1));
}

class CheckpointFaults : public ::testing::TestWithParam<int64_t> {
 protected:
  const Checkpoint& made(int64_t step) {
    const auto [at, is_new] = made_.try_emplace(step);
    if (is_new) at->second = kexue::io::made(step, GetParam());
    return at->second;
  }
  // Large ones take long with sanitizers: not every combination.
  bool is_large() const { return GetParam() == kLarge; }

 private:
  std::map<int64_t, Checkpoint> made_;
};

INSTANTIATE_TEST_SUITE_P(Rows,
                         CheckpointFaults,
                         ::testing::Values(kSmall, kLarge));

// Every call of a save and a rotation fails, once or from then on: the old
// checkpoint can be read, and a new one is complete or not there.
TEST_P(CheckpointFaults, EveryFaultLeavesTheOldOne) {
  for (const int error : {ENOSPC, EIO, EINTR, EINVAL}) {
    for (const auto when : {FaultyFs::When::kOnce, FaultyFs::When::kForever}) {
      // Nobody is interrupted for ever: callers try again.
      if (error == EINTR && when == FaultyFs::When::kForever) continue;
      if (is_large() && error != EINVAL && when == FaultyFs::When::kOnce) {
        continue;
      }
      bool untouched = false;
      for (int k = 1; !untouched; ++k) {
        ASSERT_LT(k, 200);
        MemFs disk;
        CheckpointStore("/c", disk).save(made(1));
        FaultyFs fs(k, {error, false}, when, disk);
        bool saved = false;
        try {
          CheckpointStore store("/c", fs);
          store.save(made(2));
          saved = true;
          store.rotate(2);
        } catch (const Error& e) {
          EXPECT_EQ(e.code(), Code::kIo) << e.what();
        }
        untouched = !fs.fired();
        CheckpointStore after("/c", disk);
        expect_equal(read_checkpoint(after.path(1), disk), made(1));
        const auto newest = after.newest();
        ASSERT_TRUE(newest.checkpoint);
        EXPECT_TRUE(newest.skipped.empty()) << newest.skipped[0].why;
        if (saved) expect_equal(*newest.checkpoint, made(2));
        if (newest.checkpoint->step != 2) after.save(made(2));
        after.save(made(3));
      }
    }
  }
}

TEST_P(CheckpointFaults, ShortTransfersLoseNothing) {
  for (int k = 1; k < 60; k += is_large() ? 3 : 1) {
    MemFs disk;
    FaultyFs fs(k, {0, true}, FaultyFs::When::kOnce, disk);
    CheckpointStore store("/c", fs);
    store.save(made(1));
    expect_equal(read_checkpoint(store.path(1), fs), made(1));
  }
}

// The power fails after each call in turn, and the disk keeps of the unsynced
// what it likes: what was reported as saved is there, and nothing half-done is
// ever taken for a checkpoint.
TEST_P(CheckpointFaults, PowerFailureAfterAnyCall) {
  using Data = MemFs::Data;
  using Names = MemFs::Names;
  for (const Names names : {Names::kDropped, Names::kKept}) {
    for (const Data data :
         {Data::kDropped, Data::kTorn, Data::kZeroed, Data::kKept}) {
      if (is_large() && (names == Names::kKept || data > Data::kTorn)) continue;
      bool survived = false;
      for (int k = 1; !survived; ++k) {
        ASSERT_LT(k, 200);
        MemFs fs;
        CheckpointStore("/c", fs).save(made(1));
        fs.fail_after(k);
        bool saved = false;
        try {
          CheckpointStore store("/c", fs);
          store.save(made(2));
          saved = true;
          store.rotate(1);
        } catch (const Error& e) {
          EXPECT_EQ(e.code(), Code::kIo) << e.what();
        }
        survived = !fs.failed();
        fs.restart(data, names);
        CheckpointStore after("/c", fs);
        const auto newest = after.newest();
        ASSERT_TRUE(newest.checkpoint) << "call " << k;
        EXPECT_TRUE(newest.skipped.empty()) << newest.skipped[0].why;
        expect_equal(*newest.checkpoint, made(newest.checkpoint->step));
        if (saved) {
          EXPECT_EQ(newest.checkpoint->step, 2) << "call " << k;
        }
      }
    }
  }
}

// Without the sync of file contents the test above must fail: it can.
TEST(Checkpoint, MemFsLosesWhatWasNotSynced) {
  MemFs fs;
  const int fd = fs.open("/a", O_CREAT | O_WRONLY, 0);
  EXPECT_EQ(fs.write(fd, "text", 4), 4);
  const int root = fs.open("/", O_RDONLY, 0);
  EXPECT_EQ(fs.fsync(root), 0);
  fs.restart(MemFs::Data::kDropped, MemFs::Names::kDropped);
  EXPECT_EQ(read_file("/a", kMiB, fs), "");
  EXPECT_EQ(fs.rename("/a", "/b"), 0);
  fs.restart(MemFs::Data::kDropped, MemFs::Names::kDropped);
  EXPECT_EQ(read_file("/a", kMiB, fs), "");
}

struct Bad {
  const char* rule;
  std::string from, to;  // in manifest.json
  Code code;
  const char* text;
};

TEST(Checkpoint, BadManifests) {
  const TempFolder dir;
  CheckpointStore(dir / "c").save(made(1));
  const std::string file = dir / "c/step-0000000001/manifest.json";
  const std::string good = read_file(file, kMiB);
  const Code corrupt = Code::kCorruptData;
  const Bad table[] = {
      {"cut", good.substr(good.size() / 2), "", corrupt, "manifest.json: byte"},
      {"list", good, "[]", corrupt, "wanted an object"},
      {"version",
       "\"format\": 1",
       "\"format\": 2",
       Code::kUnsupported,
       "format 2, this version knows 1"},
      {"version_text",
       "\"format\": 1",
       "\"format\": \"1\"",
       corrupt,
       "\"format\" must be an integer"},
      {"huge_version",
       "\"format\": 1",
       "\"format\": 18446744073709551616",
       corrupt,
       "\"format\" must be an integer"},
      {"other_step",
       "\"step\": 1",
       "\"step\": 2",
       corrupt,
       "the manifest is that of step 2"},
      {"negative_step",
       "\"step\": 1",
       "\"step\": -1",
       corrupt,
       "\"step\" must be an integer in 0..9999999999"},
      {"huge_step",
       "\"step\": 1",
       "\"step\": 10000000000",
       corrupt,
       "\"step\""},
      {"no_step", "\"step\": 1,", "", corrupt, "no \"step\""},
      {"twice", "\"step\": 1,", "\"step\": 1, \"step\": 1,", corrupt, "twice"},
      {"unknown_key",
       "\"step\": 1",
       "\"step\": 1, \"x\": 1",
       corrupt,
       "unknown key \"x\""},
      {"score",
       "\"score\": null",
       "\"score\": \"a\"",
       corrupt,
       "\"score\" must be a number"},
      {"no_hash", "\"config_hash\"", "\"config\"", corrupt, "\"config_hash\""},
      {"path",
       "state.safetensors",
       "../state.safetensors",
       corrupt,
       "wanted state.safetensors or progress.json"},
      {"same_file", "progress.json", "state.safetensors", corrupt, "twice"},
      {"bytes",
       "\"bytes\": 11",
       "\"bytes\": 12",
       corrupt,
       "progress.json: 11 bytes, the manifest says 12"},
      {"negative_bytes",
       "\"bytes\": 11",
       "\"bytes\": -1",
       corrupt,
       "\"bytes\" must be an integer"},
      {"sum",
       "\"xxh3_128\": \"",
       "\"xxh3_128\": \"0",
       corrupt,
       "must be 32 hexadecimal digits"},
      {"files", "\"files\": [", "\"files\": [1, ", corrupt, "a list of 2"},
  };
  for (const Bad& bad : table) {
    std::string text = good;
    const size_t at = text.find(bad.from);
    ASSERT_NE(at, std::string::npos) << bad.rule;
    text.replace(at, bad.from.size(), bad.to);
    write_file(file, text);
    EXPECT_ERROR(read_checkpoint(dir / "c/step-0000000001"), bad.code, bad.text)
        << bad.rule;
  }
  write_file(file, std::string(kMiB + 1, ' '));
  EXPECT_ERROR(read_checkpoint(dir / "c/step-0000000001"),
               Code::kUnsupported,
               "the limit is 1048576");
  EXPECT_ERROR(
      read_checkpoint(dir / "c/step-0000000009"), Code::kNotFound, "0009");
}

// Any byte of any file may go wrong: it is always noticed.
TEST(Checkpoint, EveryFlippedByteIsNoticed) {
  const TempFolder dir;
  CheckpointStore(dir / "c").save(made(1));
  const std::string folder = dir / "c/step-0000000001";
  for (const char* name : {"state.safetensors", "progress.json"}) {
    const std::string path = folder + "/" + name;
    const std::string good = read_file(path, kMiB);
    for (size_t at = 0; at < good.size(); at += 31) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      std::ofstream(path, std::ios::binary) << bad;
      EXPECT_ERROR(
          read_checkpoint(folder), Code::kCorruptData, name, "the sum is");
    }
    std::ofstream(path, std::ios::binary) << good;
  }
  expect_equal(read_checkpoint(folder), made(1));
}

}  // namespace
}  // namespace kexue::io
