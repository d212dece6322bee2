// A profile as one page for people.
#pragma once

#include <string>

namespace kexue::cli {

// A self-contained page, without scripts, from the JSON of `kexue profile`.
std::string profile_page(const std::string& profile_json);

}  // namespace kexue::cli
