// Private to text: memory for large tables.
#pragma once

#include <cstddef>

namespace kexue::text::detail {

// Aligned to 64, all bytes 0; `bytes` is a power of two times 64. Big tables
// come from the system, in huge pages if it has them: a table is read at
// random, and translations of addresses run out first.
// Errors: std::bad_alloc.
void* zeroed(size_t bytes);
// What zeroed(bytes) gave.
void give_back(void* memory, size_t bytes) noexcept;

}  // namespace kexue::text::detail
