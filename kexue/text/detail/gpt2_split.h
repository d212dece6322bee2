// Private to text: GPT-2's pattern without a regular expression.
#pragma once

#include <string_view>
#include <vector>

namespace kexue::text::detail {

// Appends the parts of a text. `single_digits`: each number character is cut
// off first, and what is between is a text of its own.
void gpt2_split(std::string_view text,
                bool single_digits,
                std::vector<std::string_view>& parts);

}  // namespace kexue::text::detail
