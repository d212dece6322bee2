#include "tests/fuzz/counted_heap.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/fuzz/fuzz_target.h"

namespace kexue::fuzz {
namespace {

std::atomic<size_t> live{0};
std::atomic<size_t> peak{0};

}  // namespace

size_t live_bytes() {
  return live;
}

size_t take_peak_bytes() {
  return peak.exchange(live);
}

namespace {

void* counted(size_t bytes) {
  // Before the request, so that nothing huge is ever touched.
  if (bytes > kMaxLiveBytes || live + bytes > kMaxLiveBytes) {
    live = 0;  // the message needs memory, too
    check(false, "more than 256 MiB alive");
  }
  void* p = std::malloc(bytes == 0 ? 1 : bytes);
  if (p == nullptr) throw std::bad_alloc();
  const size_t now = live += ::malloc_usable_size(p);
  if (now > peak) peak = now;
  return p;
}

void release(void* p) noexcept {
  if (p == nullptr) return;
  live -= ::malloc_usable_size(p);
  std::free(p);
}

}  // namespace
}  // namespace kexue::fuzz

void* operator new(size_t bytes) {
  return kexue::fuzz::counted(bytes);
}
void* operator new[](size_t bytes) {
  return kexue::fuzz::counted(bytes);
}
// std::stable_sort asks in this form. Left to the sanitizer, its memory would
// not be the kind that we give back.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return kexue::fuzz::counted(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](size_t bytes, const std::nothrow_t& tag) noexcept {
  return operator new(bytes, tag);
}
void operator delete(void* p) noexcept {
  kexue::fuzz::release(p);
}
void operator delete[](void* p) noexcept {
  kexue::fuzz::release(p);
}
void operator delete(void* p, size_t) noexcept {
  kexue::fuzz::release(p);
}
void operator delete[](void* p, size_t) noexcept {
  kexue::fuzz::release(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
  kexue::fuzz::release(p);
}
void operator delete[](void* p, const std::nothrow_t&) noexcept {
  kexue::fuzz::release(p);
}
