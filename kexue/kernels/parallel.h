// The kernels' own threads: a small pool that sleeps when it has no work.
//
// Not OpenMP: its waiting threads spin, which stalls the compiler's own pool
// on the same cores, and it can only be told otherwise by an environment
// variable that is read before main().
#pragma once

#include <cstdint>
#include <type_traits>

namespace kexue::kernels {

// How many threads one kernel may use, the caller among them. 0 (the start
// value) means one per available core. Results never depend on it: work is
// split by shape only, and partial sums are added in order.
// Errors: kInvalidArgument if count < 0.
void set_threads(int count);
int threads();

namespace detail {
using ChunkFunction = void (*)(void* context, int64_t chunk);
void run_chunks(int64_t chunks, ChunkFunction function, void* context);
}  // namespace detail

// Calls body(0) ... body(chunks - 1) in any order, on the caller's thread and
// on those of the pool that are free; returns when all are done. A call from
// inside a body, or while another thread's call is under way, runs on the
// caller's thread alone. The body must not throw.
template <class Body>
void parallel_for(int64_t chunks, Body&& body) {
  detail::run_chunks(
      chunks,
      [](void* context, int64_t chunk) noexcept {
        (*static_cast<std::remove_reference_t<Body>*>(context))(chunk);
      },
      &body);
}

}  // namespace kexue::kernels
