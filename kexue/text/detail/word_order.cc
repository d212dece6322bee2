#include "kexue/text/detail/word_order.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"

namespace kexue::text::detail {

void append_line(std::string_view token, uint64_t count, std::string& out) {
  if (token.find_first_of("\t\n") != std::string_view::npos) {
    throw Error(Code::kUnsupported,
                fmt::format("the token \"{}\" has a tab or a line end, which "
                            "a line token<TAB>count cannot hold",
                            io::printable(token)));
  }
  out += token;
  out += '\t';
  fmt::format_to(std::back_inserter(out), "{}\n", count);
}

}  // namespace kexue::text::detail
