// Private to io: is this text?
#pragma once

#include <string_view>

namespace kexue::io {

// No overlong forms, surrogates or values above U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace kexue::io
