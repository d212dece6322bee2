// Text of a hostile file, made fit for an error message.
#pragma once

#include <string>
#include <string_view>

namespace kexue::io {

// Control characters become \xNN, more than `max` bytes become "...".
std::string printable(std::string_view text, size_t max = 120);
// The same, and every byte above 126 becomes \xNN.
std::string ascii(std::string_view text, size_t max = 240);

}  // namespace kexue::io
