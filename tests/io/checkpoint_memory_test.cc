// Memory runs out at each allocation of a save in turn.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <new>

#include "kexue/io/checkpoint.h"
#include "tests/support/temp_folder.h"

namespace {

// The allocation that fails; 0: none.
thread_local long countdown = 0;

bool fails() {
  return countdown > 0 && --countdown == 0;
}

}  // namespace

// Not inlined, or the compiler takes free() for a mistake.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  void* p = fails() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
[[gnu::noinline]] void operator delete(void* p) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p,
                                       std::size_t /*bytes*/) noexcept {
  std::free(p);
}

namespace kexue::io {
namespace {

auto open_files() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

TEST(CheckpointMemory, EveryFailedAllocationLeavesTheOldOne) {
  const testing::TempFolder dir;
  Checkpoint c{.step = 1,
               .tensors = {{"w", HostArray::full({DType::kF32, {9}}, 2)}},
               .score = {}};
  CheckpointStore(dir / "c").save(c);
  c.step = 2;
  const auto open_before = open_files();
  bool done = false;
  for (long k = 1; !done; ++k) {
    ASSERT_LT(k, 5000);
    bool saved = false;
    countdown = k;
    try {
      CheckpointStore store(dir / "c");
      store.save(c);
      saved = true;
      done = countdown > 0;
    } catch (const std::bad_alloc&) {
    } catch (const Error&) {  // one that could not be made in full
    }
    countdown = 0;
    CheckpointStore after(dir / "c");
    ASSERT_EQ(read_checkpoint(after.path(1)).step, 1) << k;
    const auto steps = after.steps();
    if (saved) {
      ASSERT_EQ(steps.size(), 2u) << k;
    }
    if (steps.size() == 2) {
      ASSERT_EQ(read_checkpoint(after.path(2)).step, 2) << k;
      std::filesystem::remove_all(after.path(2));
    }
    ASSERT_EQ(open_files(), open_before) << k;
  }
}

}  // namespace
}  // namespace kexue::io
