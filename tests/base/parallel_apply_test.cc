#include "kexue/base/parallel_apply.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>

#include "tests/support/error_matchers.h"

namespace kexue {
namespace {

// Numbers 0 .. n - 1.
auto numbers(int n) {
  return [n, i = 0]() mutable {
    return i < n ? std::optional<int>(i++) : std::nullopt;
  };
}

TEST(ParallelApply, OrderedResultsComeInTheOrderOfItems) {
  for (int workers = 1; workers <= 8; ++workers) {
    std::vector<int> squares;
    parallel_apply(
        numbers(200),
        [](int i) {
          // The first ones take longest.
          volatile int work = 0;
          for (int k = 0; k < 1000 * (200 - i) / 50; ++k) work = work + k;
          return i * i;
        },
        [&](int square) { squares.push_back(square); },
        {.workers = workers});
    ASSERT_EQ(squares.size(), 200u);
    for (int i = 0; i < 200; ++i) {
      EXPECT_EQ(squares[static_cast<size_t>(i)], i * i);
    }
  }
}

TEST(ParallelApply, UnorderedResultsAreTheSameSet) {
  std::vector<int> all;
  parallel_apply(
      numbers(500),
      [](int i) { return i; },
      [&](int i) { all.push_back(i); },
      {.workers = 4, .max_queue = 3, .ordered = false});
  std::sort(all.begin(), all.end());
  std::vector<int> wanted(500);
  std::iota(wanted.begin(), wanted.end(), 0);
  EXPECT_EQ(all, wanted);
}

TEST(ParallelApply, NothingIsTakenBeyondTheQueue) {
  std::atomic<int> taken = 0;
  std::atomic<int> consumed = 0;
  int most = 0;
  parallel_apply(
      [&]() -> std::optional<int> {
        most = std::max(most, taken - consumed);
        return taken < 300 ? std::optional<int>(taken++) : std::nullopt;
      },
      [](int i) { return i; },
      [&](int) { ++consumed; },
      {.workers = 2, .max_queue = 3});
  EXPECT_EQ(consumed, 300);
  EXPECT_LE(most, 5);
}

TEST(ParallelApply, MoveOnlyItemsAndNoItems) {
  int sum = 0;
  parallel_apply(
      [i = 0]() mutable -> std::optional<std::unique_ptr<int>> {
        if (i == 10) return std::nullopt;
        return std::make_unique<int>(i++);
      },
      [](std::unique_ptr<int> p) { return p; },
      [&](std::unique_ptr<int> p) { sum += *p; });
  EXPECT_EQ(sum, 45);
  parallel_apply(
      numbers(0), [](int i) { return i; }, [](int) { FAIL(); });
}

TEST(ParallelApply, ErrorsOfEveryPartReachTheCallerAndAllThreadsEnd) {
  const auto fail = [](const char* what) { throw Error(Code::kIo, what); };
  for (int workers = 1; workers <= 4; ++workers) {
    const ParallelApplyOptions o{.workers = workers, .max_queue = 1};
    EXPECT_ERROR(parallel_apply(
                     numbers(1000),
                     [&](int i) {
                       if (i == 7) fail("seventh");
                       return i;
                     },
                     [](int) {},
                     o),
                 Code::kIo,
                 "seventh");
    EXPECT_ERROR(parallel_apply(
                     numbers(1000),
                     [](int i) { return i; },
                     [&](int i) {
                       if (i == 3) fail("third");
                     },
                     o),
                 Code::kIo,
                 "third");
    EXPECT_ERROR(parallel_apply(
                     [&, i = 0]() mutable -> std::optional<int> {
                       if (++i == 5) fail("fifth");
                       return i;
                     },
                     [](int i) { return i; },
                     [](int) {},
                     o),
                 Code::kIo,
                 "fifth");
  }
}

TEST(ParallelApply, NegativeOptions) {
  const auto same = [](int i) { return i; };
  EXPECT_ERROR(parallel_apply(numbers(1), same, [](int) {}, {.workers = -1}),
               Code::kInvalidArgument,
               "got -1 and 0");
  EXPECT_ERROR(parallel_apply(numbers(1), same, [](int) {}, {.max_queue = -2}),
               Code::kInvalidArgument,
               "got 0 and -2");
}

}  // namespace
}  // namespace kexue
