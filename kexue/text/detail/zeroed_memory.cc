#include "kexue/text/detail/zeroed_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace kexue::text::detail {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

void* zeroed(size_t bytes) {
  if (bytes < kHugePage) {
    void* const memory = std::aligned_alloc(64, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return std::memset(memory, 0, bytes);
  }
  // Sizes are powers of two, so all of it can be huge pages.
  void* const memory = ::mmap(nullptr,
                              bytes + kHugePage,
                              PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                              -1,
                              0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  auto* const from = static_cast<char*>(memory);
  const size_t skip =
      (kHugePage - reinterpret_cast<uintptr_t>(from) % kHugePage) % kHugePage;
  if (skip > 0) ::munmap(from, skip);
  if (skip < kHugePage) ::munmap(from + skip + bytes, kHugePage - skip);
  ::madvise(from + skip, bytes, MADV_HUGEPAGE);
  return from + skip;
}

void give_back(void* memory, size_t bytes) noexcept {
  if (bytes < kHugePage) {
    std::free(memory);
  } else {
    ::munmap(memory, bytes);
  }
}

}  // namespace kexue::text::detail
