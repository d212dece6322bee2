#include "kexue/kernels/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "kexue/base/error.h"
#include "tests/support/error_matchers.h"

namespace kexue::kernels {
namespace {

TEST(Parallel, RunsEveryChunkOnce) {
  set_threads(3);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::atomic<int>> count(17);
    parallel_for(17, [&](int64_t i) { ++count[static_cast<size_t>(i)]; });
    for (const auto& c : count) ASSERT_EQ(c.load(), 1);
  }
  set_threads(0);
}

TEST(Parallel, NestedAndConcurrentCallsFinish) {
  set_threads(2);
  std::atomic<int> total{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        parallel_for(
            4, [&](int64_t) { parallel_for(3, [&](int64_t) { ++total; }); });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total.load(), 4 * 100 * 12);
  set_threads(0);
}

TEST(Parallel, NoChunksIsNoWork) {
  parallel_for(0, [](int64_t) { FAIL(); });
}

TEST(Parallel, NegativeThreadCountIsRefused) {
  EXPECT_ERROR(set_threads(-1), Code::kInvalidArgument, "got -1");
}

}  // namespace
}  // namespace kexue::kernels
