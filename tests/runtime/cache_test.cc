#include "kexue/runtime/cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "kexue/io/atomic_file.h"
#include "tests/support/file_limit.h"
#include "tests/support/temp_folder.h"

namespace kexue::runtime {
namespace {

using testing::TempFolder;

std::vector<std::byte> bytes(const std::string& text) {
  std::vector<std::byte> out;
  for (const char c : text) out.push_back(static_cast<std::byte>(c));
  return out;
}

std::string entry(const ExecutableCache& cache) {
  for (const auto& e : std::filesystem::directory_iterator(cache.folder())) {
    return e.path().string();
  }
  return "";
}

TEST(ExecutableCache, GivesBackWhatWasStored) {
  const TempFolder temp;
  const ExecutableCache cache(temp / "a/b");
  ASSERT_TRUE(cache.enabled()) << cache.why();
  EXPECT_FALSE(cache.load("k1").has_value());
  cache.store("k1", bytes("program"));
  cache.store("k2", {});
  EXPECT_EQ(cache.load("k1"), bytes("program"));
  EXPECT_EQ(cache.load("k2"), bytes(""));
  cache.remove("k1");
  EXPECT_FALSE(cache.load("k1").has_value());
}

TEST(ExecutableCache, FolderIsPrivate) {
  const TempFolder temp;
  const ExecutableCache cache(temp / "c");
  struct stat s {};
  ASSERT_EQ(::stat(cache.folder().c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0700U);
}

TEST(ExecutableCache, EntryThatDoesNotMatchIsDeleted) {
  const TempFolder temp;
  const ExecutableCache cache(temp / "c");
  cache.store("key", bytes("a compiled program"));
  const std::string path = entry(cache);
  const std::string good = io::read_file(path, 1 << 20);
  for (size_t at = 0; at <= good.size(); ++at) {
    std::string bad = good;
    if (at < good.size()) {
      bad[at] = static_cast<char>(bad[at] ^ 1);
    } else {
      bad += '!';
    }
    io::write_file(path, bad);
    EXPECT_FALSE(cache.load("key").has_value()) << at;
    EXPECT_FALSE(std::filesystem::exists(path)) << at;
  }
  for (size_t length = 0; length < good.size(); ++length) {
    io::write_file(path, good.substr(0, length));
    EXPECT_FALSE(cache.load("key").has_value()) << length;
  }
  io::write_file(path, good);
  EXPECT_EQ(cache.load("key"), bytes("a compiled program"));
}

TEST(ExecutableCache, EntryOfAnotherKeyIsNotTaken) {
  const TempFolder temp;
  const ExecutableCache cache(temp / "c");
  cache.store("one", bytes("x"));
  const std::string path = entry(cache);
  std::filesystem::rename(path,
                          path.substr(0, path.rfind('/')) + "/two.kxexec");
  EXPECT_FALSE(cache.load("two").has_value());
}

TEST(ExecutableCache, FullDiskOnlyCostsTime) {
  const TempFolder temp;
  const ExecutableCache cache(temp / "c");
  {
    const testing::FileLimit limit(64);
    cache.store("key", bytes(std::string(1000, 'x')));
  }
  EXPECT_FALSE(cache.load("key").has_value());
  EXPECT_EQ(entry(cache), "");
}

TEST(ExecutableCache, PathThatIsNoFolderTurnsItOff) {
  const TempFolder temp;
  io::write_file(temp / "file", "x");
  const ExecutableCache cache(temp / "file/c");
  EXPECT_FALSE(cache.enabled());
  EXPECT_NE(cache.why().find("file/c"), std::string::npos);
  cache.store("key", bytes("x"));
  EXPECT_FALSE(cache.load("key").has_value());
}

TEST(CacheRoot, FollowsTheEnvironment) {
  const char* before = std::getenv("KEXUE_CACHE");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("KEXUE_CACHE", "/some/where", 1);
  EXPECT_EQ(cache_root(), "/some/where");
  if (before != nullptr) {
    ::setenv("KEXUE_CACHE", kept.c_str(), 1);
  } else {
    ::unsetenv("KEXUE_CACHE");
  }
}

}  // namespace
}  // namespace kexue::runtime
