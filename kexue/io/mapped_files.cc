#include "kexue/io/mapped_files.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "kexue/io/input_file.h"

namespace kexue::io {
namespace {

constexpr size_t kSlots = 256;
constexpr size_t kPathBytes = 512;

// A slot is free (end 0), being filled (end 1) or in use. A handler may read
// it at any moment, so `end` is published last and withdrawn first.
struct Slot {
  std::atomic<uintptr_t> end{0};
  std::atomic<uintptr_t> begin{0};
  char path[kPathBytes] = {};
};
static_assert(std::atomic<uintptr_t>::is_always_lock_free);

std::array<Slot, kSlots> slots;

}  // namespace

namespace detail {

int note_mapping(const void* begin, uint64_t bytes, const std::string& path) {
  for (size_t i = 0; i < kSlots; ++i) {
    Slot& s = slots[i];
    uintptr_t free = 0;
    if (!s.end.compare_exchange_strong(free, 1)) continue;
    const size_t n = std::min(path.size(), kPathBytes - 1);
    std::memcpy(s.path, path.data(), n);
    s.path[n] = '\0';
    s.begin = reinterpret_cast<uintptr_t>(begin);
    s.end = reinterpret_cast<uintptr_t>(begin) + bytes;
    return static_cast<int>(i);
  }
  return -1;
}

void forget_mapping(int slot) noexcept {
  if (slot < 0) return;
  slots[static_cast<size_t>(slot)].end = 0;
}

}  // namespace detail

const char* mapped_path_at(const void* address) noexcept {
  const auto at = reinterpret_cast<uintptr_t>(address);
  for (const Slot& s : slots) {
    const uintptr_t end = s.end;
    if (end > 1 && at >= s.begin && at < end) return s.path;
  }
  return nullptr;
}

}  // namespace kexue::io
