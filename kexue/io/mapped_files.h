// Private to io: which file is mapped where, for the handler of SIGBUS.
#pragma once

#include <cstdint>
#include <string>

namespace kexue::io::detail {

// A slot of a fixed table, or -1 when it is full (the file stays unnamed).
int note_mapping(const void* begin, uint64_t bytes, const std::string& path);
void forget_mapping(int slot) noexcept;

}  // namespace kexue::io::detail
