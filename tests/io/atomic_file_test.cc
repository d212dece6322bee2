#include "kexue/io/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>

#include "tests/support/error_matchers.h"
#include "tests/support/faulty_fs.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::FaultyFs;
using testing::TempFolder;

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(AtomicFile, WritesAndReplaces) {
  const TempFolder dir;
  write_file(dir / "a", "first");
  EXPECT_EQ(read_file(dir / "a", kMiB), "first");
  write_file(dir / "a", "");
  EXPECT_EQ(read_file(dir / "a", kMiB), "");
  EXPECT_EQ(dir.names(), std::vector<std::string>{"a"});
}

TEST(AtomicFile, NothingHappensWithoutCommit) {
  const TempFolder dir;
  write_file(dir / "a", "old");
  {
    AtomicFile file(dir / "a");
    file.write("new");
  }
  EXPECT_EQ(read_file(dir / "a", kMiB), "old");
  EXPECT_EQ(dir.names().size(), 1u);
}

TEST(AtomicFile, ReplacesALinkAndLeavesItsTargetAlone) {
  const TempFolder dir;
  write_file(dir / "target", "keep");
  ASSERT_EQ(::symlink((dir / "target").c_str(), (dir / "link").c_str()), 0);
  write_file(dir / "link", "new");
  EXPECT_EQ(read_file(dir / "target", kMiB), "keep");
  EXPECT_EQ(read_file(dir / "link", kMiB), "new");
}

TEST(AtomicFile, ErrorsNamePathAndErrno) {
  const TempFolder dir;
  EXPECT_ERROR(write_file(dir / "no/such/folder", "x"),
               Code::kIo,
               "no/such",
               "No such file or directory");
  ASSERT_EQ(real_fs().mkdir(dir / "folder", 0755), 0);
  EXPECT_ERROR(write_file(dir / "folder", "x"), Code::kIo, "rename", "folder");
  EXPECT_EQ(dir.names(), std::vector<std::string>{"folder"});
}

// Every call fails once, with every kind of fault: the target holds the old
// bytes or the new ones, and no temporary file stays.
TEST(AtomicFile, EveryFaultLeavesOldOrNew) {
  const std::string fresh(10'000, 'n');
  const std::vector<FaultyFs::Fault> faults = {
      {ENOSPC, false}, {EIO, false}, {EINTR, false}, {0, true}};
  for (const auto& fault : faults) {
    bool untouched = false;
    for (int k = 1; !untouched; ++k) {
      ASSERT_LT(k, 100);
      const TempFolder dir;
      write_file(dir / "a", "old");
      FaultyFs fs(k, fault, FaultyFs::When::kOnce);
      bool threw = false;
      try {
        write_file(dir / "a", fresh, fs);
      } catch (const Error& e) {
        threw = true;
        EXPECT_EQ(e.code(), Code::kIo) << e.what();
        EXPECT_NE(std::string(e.what()).find(dir.path()), std::string::npos);
      }
      untouched = !fs.fired();
      EXPECT_FALSE(threw && fault.short_transfer) << "call " << k;
      const auto now = read_file(dir / "a", kMiB);
      if (threw) {
        EXPECT_TRUE(now == "old" || now == fresh) << "call " << k;
      } else {
        EXPECT_EQ(now, fresh) << "call " << k;
      }
      EXPECT_EQ(dir.names().size(), 1u) << "call " << k;
    }
  }
}

TEST(AtomicFile, LastingFaultNeverDestroysTheOldFile) {
  const std::string fresh(10'000, 'n');
  for (int k = 1;; ++k) {
    ASSERT_LT(k, 100);
    const TempFolder dir;
    write_file(dir / "a", "old");
    FaultyFs fs(k, {ENOSPC, false}, FaultyFs::When::kForever);
    try {
      write_file(dir / "a", fresh, fs);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kIo);
    }
    const auto now = read_file(dir / "a", kMiB);
    EXPECT_TRUE(now == "old" || now == fresh);
    if (!fs.fired()) break;
  }
}

TEST(AtomicFile, FullDiskKeepsTheOldFile) {
  const TempFolder dir;
  write_file(dir / "a", "old");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{64 * 1024, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string what;
  Code code = Code::kInternal;
  try {
    write_file(dir / "a", std::string(kMiB, 'x'));
  } catch (const Error& e) {
    what = e.what();
    code = e.code();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(code, Code::kIo);
  EXPECT_NE(what.find("File too large"), std::string::npos) << what;
  EXPECT_NE(what.find("free some space"), std::string::npos) << what;
  EXPECT_EQ(read_file(dir / "a", kMiB), "old");
  EXPECT_EQ(dir.names().size(), 1u);
}

TEST(AtomicFile, FreeSpaceIsCheckedWithATenthToSpare) {
  const TempFolder dir;
  uint64_t free = 0;
  ASSERT_EQ(real_fs().free_bytes(dir.path(), &free), 0);
  EXPECT_NO_THROW(require_free_space(dir.path(), 1));
  EXPECT_ERROR(require_free_space(dir.path(), free - free / 50),
               Code::kIo,
               "a tenth to spare");
  EXPECT_ERROR(
      require_free_space(dir.path(), UINT64_MAX), Code::kIo, "bytes wanted");
}

TEST(ReadFile, LimitMissingAndFolder) {
  const TempFolder dir;
  write_file(dir / "a", "12345");
  EXPECT_EQ(read_file(dir / "a", 5), "12345");
  EXPECT_ERROR(read_file(dir / "a", 4),
               Code::kUnsupported,
               "5 bytes or more, the limit is 4");
  EXPECT_ERROR(read_file(dir / "b", 4), Code::kNotFound, dir / "b");
  EXPECT_ERROR(
      read_file(dir.path(), kMiB), Code::kIo, "read", "Is a directory");
}

TEST(ReadFile, PipesAreLimitedToo) {
  EXPECT_ERROR(read_file("/dev/zero", 100'000),
               Code::kUnsupported,
               "the limit is 100000");
}

TEST(ReadFile, ShortReadsAndInterruptsLoseNothing) {
  const TempFolder dir;
  const std::string content(100'000, 'c');
  write_file(dir / "a", content);
  for (int k = 1; k < 12; ++k) {
    FaultyFs half(k, {0, true}, FaultyFs::When::kOnce);
    EXPECT_EQ(read_file(dir / "a", kMiB, half), content);
  }
  FaultyFs interrupt(3, {EINTR, false}, FaultyFs::When::kOnce);
  EXPECT_EQ(read_file(dir / "a", kMiB, interrupt), content);
  FaultyFs broken(3, {EIO, false}, FaultyFs::When::kOnce);
  EXPECT_ERROR(read_file(dir / "a", kMiB, broken), Code::kIo, "read", "errno");
}

TEST(ParentFolder, Cases) {
  EXPECT_EQ(parent_folder("a"), ".");
  EXPECT_EQ(parent_folder("/a"), "/");
  EXPECT_EQ(parent_folder("a/b/c"), "a/b");
}

}  // namespace
}  // namespace kexue::io
