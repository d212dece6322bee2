// All modes, all numbers of threads, against counts made in another way.
#include "kexue/text/word_count.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <sstream>

#include "kexue/io/atomic_file.h"
#include "kexue/text/piece_words.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::text {
namespace {

using testing::TempFolder;

constexpr CountMode kModes[] = {CountMode::kNaive,
                                CountMode::kBatched,
                                CountMode::kRadix,
                                CountMode::kAuto};

std::vector<TokenCount> sorted(const WordCounts& counts) {
  std::vector<TokenCount> out;
  counts.for_each({}, [&](std::string_view token, uint64_t n) {
    out.push_back({std::string(token), n});
  });
  return out;
}

// By streams and a map: nothing of what is tested.
std::vector<TokenCount> independent(const std::string& text) {
  std::istringstream in(text);
  std::map<std::string, uint64_t> counts;
  for (std::string word; in >> word;) ++counts[word];
  std::vector<TokenCount> out;
  for (const auto& [token, n] : counts) out.push_back({token, n});
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.count > b.count;
  });
  return out;
}

// Words of many lengths, frequent and rare ones, in lines of many lengths.
std::string corpus(size_t words) {
  std::mt19937_64 random(7);
  std::string text;
  for (size_t i = 0; i < words; ++i) {
    const uint64_t u = random();
    const uint64_t rank = (uint64_t{1} << 24) / ((u >> 44) + 1);
    text += "w" + std::to_string(rank);
    if (u % 7 == 0) text += "-and-a-longer-word";
    if (u % 11 == 0) text += "\xE4\xBD\xA0\xE5\xA5\xBD";
    text += u % 13 == 0 ? "\n" : " ";
  }
  return text;
}

TEST(WordCount, AllModesAndThreadsGiveTheIndependentTable) {
  const TempFolder dir;
  const std::string text = corpus(150'000);
  io::write_file(dir / "t", text);
  const auto wanted = independent(text);
  ASSERT_GT(text.size(), size_t{1} << 20);  // several chunks
  for (const CountMode mode : kModes) {
    for (const int threads : {1, 2, 3, 8}) {
      for (const bool map_files : {false, true}) {
        const auto counts = count_words({dir / "t"},
                                        SpaceWords(),
                                        {.threads = threads,
                                         .mode = mode,
                                         .batch = 10,
                                         .map_files = map_files});
        EXPECT_EQ(sorted(counts), wanted)
            << "mode " << static_cast<int>(mode) << " W " << threads;
        EXPECT_EQ(counts.statistics().tokens, 150'000u);
        EXPECT_EQ(counts.statistics().distinct, wanted.size());
        EXPECT_EQ(counts.statistics().text_bytes, text.size());
      }
    }
  }
}

// The fixture of spec 29: its numbers were made by another program.
TEST(WordCount, PortableFixture) {
  std::string text;
  for (uint64_t x = 1, i = 0; i < 1'000'000; ++i) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    const uint64_t u = x >> 44;
    text += "w" + std::to_string((uint64_t{1} << 20) / (u + 1)) + " ";
  }
  const TempFolder dir;
  io::write_file(dir / "t", text);
  const auto counts = count_words({dir / "t"}, SpaceWords());
  EXPECT_EQ(counts.statistics().distinct, 1550u);
  EXPECT_EQ(counts.table().top(6),
            (std::vector<TokenCount>{{"w1", 499678},
                                     {"w2", 166508},
                                     {"w3", 83188},
                                     {"w4", 50398},
                                     {"w5", 33649},
                                     {"w6", 23665}}));
  EXPECT_EQ(counts.table().sorted().size() -
                counts.table().sorted({.min_count = 2}).size(),
            497u);
}

TEST(WordCount, SmallMemorySpillsAndGivesTheSameTable) {
  const TempFolder dir;
  std::string text;
  for (uint64_t i = 0; i < 400'000; ++i) {
    text += std::to_string(i * i % 300'007) + " ";
    if (i % 5 == 0) text += "a-token-of-more-than-16-bytes" + std::to_string(i);
    text += " ";
  }
  io::write_file(dir / "t", text);
  const auto wanted = independent(text);
  for (const int threads : {1, 3}) {
    const auto counts = count_words(
        {dir / "t"},
        SpaceWords(),
        {.threads = threads, .memory_bytes = 1, .spill_folder = dir.path()});
    EXPECT_TRUE(counts.is_spilled());
    EXPECT_GT(counts.statistics().spills, 1u);
    EXPECT_EQ(counts.statistics().distinct, wanted.size());
    EXPECT_EQ(counts.statistics().tokens, 480'000u);
    EXPECT_TRUE(sorted(counts) == wanted);
    counts.save_tsv(dir / "a.tsv", {.min_count = 2});
    FrequencyTable whole;
    whole.add_words(text);
    whole.save_tsv(dir / "b.tsv", {.min_count = 2});
    EXPECT_TRUE(io::read_file(dir / "a.tsv", 1 << 26) ==
                io::read_file(dir / "b.tsv", 1 << 26));
    EXPECT_ERROR(counts.table(), Code::kUnsupported, "on disk");
  }
  EXPECT_EQ(dir.names(), (std::vector<std::string>{"a.tsv", "b.tsv", "t"}));
  EXPECT_ERROR(count_words({dir / "t"},
                           SpaceWords(),
                           {.memory_bytes = 1, .spill_folder = dir / "no"}),
               Code::kIo,
               "/no: No such file",
               "spill folder");
  for (const auto mode : {CountMode::kNaive, CountMode::kBatched}) {
    EXPECT_ERROR(
        count_words(
            {dir / "t"}, SpaceWords(), {.mode = mode, .memory_bytes = 1}),
        Code::kUnsupported,
        "memory limit",
        "auto and radix");
  }
}

class Throwing final : public WordSplitter {
 public:
  Unit unit() const override { return Unit::kLine; }
  void split(std::string_view text,
             std::vector<std::string_view>& words) const override {
    if (text.find("bad") != std::string_view::npos) {
      throw Error(Code::kInvalidArgument, "a bad word");
    }
    words.push_back(text);
  }
};

TEST(WordCount, ATokenizerThatThrowsReachesTheCallerInEveryMode) {
  const TempFolder dir;
  for (int i = 0; i < 50; ++i) {
    io::write_file(dir / std::to_string(i), i == 30 ? "bad\n" : "good\n");
  }
  for (const CountMode mode : kModes) {
    for (const int threads : {1, 4}) {
      EXPECT_ERROR(
          count_words(
              {dir.path()}, Throwing(), {.threads = threads, .mode = mode}),
          Code::kInvalidArgument,
          "a bad word");
    }
  }
}

TEST(WordCount, BrokenUtf8IsReplacedCountedOrAnError) {
  const TempFolder dir;
  io::write_file(dir / "t", "ok ok\nab\xff\xfe cd\xE4\xBD x\n");
  const auto counts = count_words({dir / "t"}, UnicodeWords());
  EXPECT_EQ(counts.statistics().replaced, 3u);
  EXPECT_EQ(
      counts.table().sorted(),
      (std::vector<TokenCount>{{"ok", 2}, {"ab", 1}, {"cd", 1}, {"x", 1}}));
  for (const CountMode mode : kModes) {
    EXPECT_ERROR(
        count_words(
            {dir / "t"}, UnicodeWords(), {.mode = mode, .strict = true}),
        Code::kCorruptData,
        "/t: not UTF-8 at byte 8");
  }
  // Bytes are taken as they are, but not if strict.
  const auto bytes = count_words({dir / "t"}, SpaceWords());
  EXPECT_EQ(bytes.table().count("ab\xff\xfe"), 1u);
  EXPECT_EQ(bytes.statistics().replaced, 0u);
  EXPECT_ERROR(count_words({dir / "t"}, SpaceWords(), {.strict = true}),
               Code::kCorruptData,
               "at byte 8");
}

TEST(WordCount, PiecesAreThoseOfWholeLines) {
  std::vector<Vocabulary::Entry> entries;
  for (const char* t : {"[PAD]",
                        "[UNK]",
                        "[CLS]",
                        "[SEP]",
                        "[MASK]",
                        "good",
                        "book",
                        "##s",
                        "!",
                        "\u6211",
                        "a"}) {
    entries.emplace_back(static_cast<int32_t>(entries.size()), t);
  }
  const WordPiece model(
      Vocabulary(std::move(entries), "##", "test"), {}, {}, "test");
  const std::string text =
      "Good books!\tbook \u6211\u6211 [MASK]s zzz\r\nA\u3000good\u00A0a\x0B"
      "a";
  std::map<std::string, uint64_t> wanted;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    for (const Token& t : model.tokenize(line)) ++wanted[model.token(t.id)];
  }
  const TempFolder dir;
  std::string many;
  for (int i = 0; i < 3; ++i) many += text + "\n";
  io::write_file(dir / "t", many);
  for (const CountMode mode : kModes) {
    for (const uint64_t memory : {uint64_t{0}, uint64_t{1} << 20}) {
      const auto counts =
          count_words({dir / "t"},
                      WordPieceWords(model),
                      {.threads = 2, .mode = mode, .memory_bytes = memory});
      std::map<std::string, uint64_t> got;
      counts.for_each({}, [&](std::string_view token, uint64_t n) {
        got[std::string(token)] = n;
      });
      EXPECT_EQ(got.size(), wanted.size());
      for (const auto& [token, n] : wanted) EXPECT_EQ(got[token], 3 * n);
    }
  }
}

TEST(WordCount, TextsInMemory) {
  const std::vector<std::string_view> texts = {"a b", "b", "", "c\xff b"};
  for (const int threads : {1, 2, 5}) {
    EXPECT_EQ(count_words(texts, SpaceWords(), threads).sorted(),
              (std::vector<TokenCount>{{"b", 3}, {"a", 1}, {"c\xff", 1}}));
  }
}

TEST(WordCount, WrongOptions) {
  const TempFolder dir;
  io::write_file(dir / "t", "a");
  EXPECT_ERROR(count_words({dir / "t"}, SpaceWords(), {.threads = -1}),
               Code::kInvalidArgument,
               "threads must be 0 to 1024, got -1");
  EXPECT_ERROR(count_words({dir / "t"}, SpaceWords(), {.batch = 0}),
               Code::kInvalidArgument,
               "batch must be 1 or more, got 0");
  EXPECT_ERROR(count_words(std::vector<std::string>{}, SpaceWords()),
               Code::kInvalidArgument,
               "no input");
}

}  // namespace
}  // namespace kexue::text
