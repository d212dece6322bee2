// How files become chunks: borders, folders, streams, errors.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kexue/io/atomic_file.h"
#include "kexue/text/detail/chunk_source.h"
#include "kexue/text/word_count.h"
#include "tests/support/error_matchers.h"
#include "tests/support/gzip.h"
#include "tests/support/temp_folder.h"

namespace kexue::text {
namespace {

using detail::Chunk;
using detail::ChunkSource;
using testing::gzip;
using testing::TempFolder;
using Unit = WordSplitter::Unit;

struct Place {
  uint64_t offset;
  std::string text;
};

std::vector<Place> chunks(const std::string& path,
                          const ChunkSource::Options& options) {
  ChunkSource source({path}, options);
  std::vector<Place> out;
  Chunk chunk;
  while (source.next(chunk)) {
    out.push_back({chunk.offset, std::string(chunk.text)});
  }
  return out;
}

TEST(ChunkSource, EveryChunkSizeGivesTheWholeTextInWholeUnits) {
  const TempFolder dir;
  std::string text;
  for (int i = 0; text.size() < 200; ++i) {
    text += std::to_string(i * 7919 % 1000) + "w" +
            (i % 4 == 0   ? "\xE4\xBD\xA0\n"
             : i % 3 == 0 ? "\t "
                          : " ");
  }
  io::write_file(dir / "plain", text);
  io::write_file(dir / "packed", gzip(text));
  for (size_t size = 1; size <= 210; ++size) {
    for (const Unit unit : {Unit::kWord, Unit::kLine}) {
      for (const char* name : {"plain", "packed"}) {
        for (const bool map_files : {false, true}) {
          std::string all;
          for (const Place& p : chunks(dir / name,
                                       {.unit = unit,
                                       .map_files = map_files,
                                       .chunk_bytes = size})) {
            EXPECT_EQ(p.offset, all.size());
            all += p.text;
            const bool at_border =
                unit == Unit::kLine ? all.back() == '\n'
                                    : std::string(" \t\n").find(all.back()) !=
                                          std::string::npos;
            EXPECT_TRUE(at_border || all.size() == text.size());
          }
          EXPECT_EQ(all, text) << name << " " << size;
        }
      }
    }
  }
}

TEST(ChunkSource, UnitsMayBeLongerThanChunksAndReachTheEnd) {
  const TempFolder dir;
  const std::string text = "a " + std::string(300'000, 'b') + " c d";
  io::write_file(dir / "t", text);
  for (const bool map_files : {false, true}) {
    for (const size_t size : {size_t{1000}, size_t{65'536}}) {
      std::string all;
      for (const Place& p :
           chunks(dir / "t", {.map_files = map_files, .chunk_bytes = size})) {
        EXPECT_EQ(p.offset, all.size());
        all += p.text;
      }
      EXPECT_EQ(all, text);
    }
  }
}

TEST(ChunkSource, UnitsBeyondTheLimitAreAnErrorWithPlace) {
  const TempFolder dir;
  const std::string text = "ab " + std::string(400'000, 'c');
  io::write_file(dir / "plain", text);
  io::write_file(dir / "packed", gzip(text));
  for (const char* name : {"plain", "packed"}) {
    EXPECT_ERROR(chunks(dir / name, {.chunk_bytes = 1000, .max_unit = 100'000}),
                 Code::kUnsupported,
                 std::string("/") + name,
                 "more than 100000 bytes from byte 3 on without white space");
  }
  EXPECT_ERROR(
      chunks(dir / "plain",
             {.unit = Unit::kLine, .chunk_bytes = 99, .max_unit = 1000}),
      Code::kUnsupported,
      "without a line end");
}

TEST(WordFiles, FoldersWithManySmallFilesAndPackedOnes) {
  const TempFolder dir;
  ASSERT_EQ(::mkdir((dir / "sub").c_str(), 0700), 0);
  for (int i = 0; i < 40; ++i) {
    // No line end: a word ends with its file.
    const std::string text = "common w" + std::to_string(i % 10);
    const std::string at =
        (i % 2 ? dir / "sub" : dir.path()) + "/" + std::to_string(i);
    io::write_file(at, i % 3 ? text : gzip(text));
  }
  io::write_file(dir / "empty", "");
  for (const int threads : {1, 2, 7}) {
    const auto counts = count_words(
        {dir.path(), dir / "2"}, SpaceWords(), {.threads = threads});
    EXPECT_EQ(counts.statistics().files, 42u);
    EXPECT_EQ(counts.table().count("common"), 41u);
    EXPECT_EQ(counts.table().count("w3"), 4u);
  }
}

TEST(WordFiles, EmptyInputIsAnEmptyTable) {
  const TempFolder dir;
  io::write_file(dir / "e", "");
  io::write_file(dir / "z", gzip(""));
  io::write_file(dir / "s", " \n\t ");
  EXPECT_EQ(count_words({dir.path()}, SpaceWords()).table().distinct(), 0u);
}

TEST(WordFiles, MissingAndUnreadablePathsAreNamed) {
  const TempFolder dir;
  EXPECT_ERROR(count_words({dir / "no"}, SpaceWords()),
               Code::kNotFound,
               "/no: No such file");
  ASSERT_EQ(::mkdir((dir / "none").c_str(), 0755), 0);
  EXPECT_ERROR(count_words({dir / "none"}, SpaceWords()),
               Code::kNotFound,
               "/none: no file in this folder");
  io::write_file(dir / "secret", "a");
  ::chmod((dir / "secret").c_str(), 0);
  ASSERT_EQ(::mkdir((dir / "closed").c_str(), 0), 0);
  ::chmod(dir.path().c_str(), 0755);
  // Nothing is unreadable for root.
  const bool is_root = ::geteuid() == 0;
  if (is_root && ::seteuid(65534) != 0) GTEST_SKIP() << "no other user";
  EXPECT_ERROR(count_words({dir / "secret"}, SpaceWords()),
               Code::kIo,
               "/secret: Permission denied");
  EXPECT_ERROR(count_words({dir.path()}, SpaceWords()),
               Code::kIo,
               "/closed: Permission denied");
  if (is_root && ::seteuid(0) != 0) FAIL() << "cannot be root again";
  ::chmod((dir / "closed").c_str(), 0700);
}

TEST(WordFiles, BrokenPackedFilesAreAnErrorForEveryThread) {
  const TempFolder dir;
  std::string packed = gzip(std::string(100'000, 'a') + " b");
  packed.resize(packed.size() - 5);
  io::write_file(dir / "cut.gz", packed);
  for (const int threads : {1, 4}) {
    EXPECT_ERROR(
        count_words({dir / "cut.gz"}, SpaceWords(), {.threads = threads}),
        Code::kCorruptData,
        "cut.gz: the gzip stream is cut short");
  }
}

TEST(WordFiles, ProgressComesToTheTotal) {
  const TempFolder dir;
  io::write_file(dir / "t", std::string(3'000'000, 'a') + " b\n");
  CountProgress last;
  int calls = 0;
  count_words({dir / "t"}, SpaceWords(), {.progress = [&](const auto& p) {
                EXPECT_GE(p.bytes, last.bytes);
                last = p;
                ++calls;
              }});
  EXPECT_GE(calls, 1);
  EXPECT_EQ(last.bytes, 3'000'003u);
  EXPECT_EQ(last.total, 3'000'003u);
}

}  // namespace
}  // namespace kexue::text
