#include "kexue/data/prefetcher.h"

#include <gtest/gtest.h>

#include <atomic>

#include "kexue/base/error.h"
#include "tests/support/error_matchers.h"

namespace kexue::data {
namespace {

TEST(Prefetcher, KeepsTheOrderAndEnds) {
  int made = 0;
  Prefetcher<int> p([&made]() -> std::optional<int> {
    if (made == 1000) return std::nullopt;
    return made++;
  });
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(p.next(), i);
  EXPECT_EQ(p.next(), std::nullopt);
  EXPECT_EQ(p.next(), std::nullopt);
}

TEST(Prefetcher, ErrorsComeAfterTheItemsBeforeThem) {
  int made = 0;
  Prefetcher<int> p([&made]() -> std::optional<int> {
    if (made == 3) throw Error(Code::kIo, "disk gone");
    return made++;
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(p.next(), i);
  EXPECT_ERROR(p.next(), Code::kIo, "disk gone");
  EXPECT_ERROR(p.next(), Code::kIo, "disk gone");
}

TEST(Prefetcher, RunsAheadByItsCapacityOnly) {
  std::atomic<int> made = 0;
  {
    Prefetcher<int> p([&made]() -> std::optional<int> { return made++; }, 3);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(p.next(), i);
    // 10 taken, 3 waiting, one in the hand of the worker.
    EXPECT_LE(made.load(), 14);
  }
  EXPECT_LE(made.load(), 14);
}

TEST(Prefetcher, StopsWhileItsQueueIsFull) {
  Prefetcher<int> p([]() -> std::optional<int> { return 1; }, 1);
  EXPECT_EQ(p.next(), 1);
}

}  // namespace
}  // namespace kexue::data
