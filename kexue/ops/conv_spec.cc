#include "kexue/ops/conv_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "kexue/base/error.h"

namespace kexue::ops::detail {

ConvSpec parse_conv(const std::string& text) {
  const auto bad = [&](const std::string& why) {
    throw Error(Code::kInvalidArgument,
                fmt::format("convolution \"{}\": {}", text, why))
        .with_scope(Scope::path());
  };
  const size_t comma = text.find(',');
  const size_t arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos ||
      comma > arrow) {
    bad("wants the form \"b01f,01io->b01f\"");
  }
  ConvSpec s{};
  s.lhs_term = text.substr(0, comma);
  s.rhs_term = text.substr(comma + 1, arrow - comma - 1);
  s.out_term = text.substr(arrow + 2);
  const size_t rank = s.lhs_term.size();
  if (rank < 3 || rank > 12) bad("wants 1 to 10 spatial dimensions");
  const auto place = [&](const std::string& term, char letter) {
    const auto n = std::count(term.begin(), term.end(), letter);
    if (term.size() != rank || n != 1) {
      bad(fmt::format(
          "term \"{}\" wants '{}' once among {} letters", term, letter, rank));
    }
    return static_cast<int64_t>(term.find(letter));
  };
  s.lhs_b = place(s.lhs_term, 'b');
  s.lhs_f = place(s.lhs_term, 'f');
  s.rhs_i = place(s.rhs_term, 'i');
  s.rhs_o = place(s.rhs_term, 'o');
  s.out_b = place(s.out_term, 'b');
  s.out_f = place(s.out_term, 'f');
  for (size_t i = 0; i + 2 < rank; ++i) {
    const char digit = static_cast<char>('0' + i);
    s.lhs_space.push_back(place(s.lhs_term, digit));
    s.rhs_space.push_back(place(s.rhs_term, digit));
    s.out_space.push_back(place(s.out_term, digit));
  }
  return s;
}

std::vector<int64_t> sizes_at(const Shape& shape,
                              const std::vector<int64_t>& places) {
  std::vector<int64_t> out;
  for (const int64_t p : places) out.push_back(shape[p]);
  return out;
}

std::string exchanged(std::string text, char a, char b) {
  for (char& c : text) c = c == a ? b : (c == b ? a : c);
  return text;
}

WindowSpec conv_window(const ir::Attrs& attrs,
                       const ConvSpec& spec,
                       const Shape& kernel) {
  return {.size = sizes_at(kernel, spec.rhs_space),
          .strides = attrs.ints("strides"),
          .low = attrs.ints("low"),
          .high = attrs.ints("high"),
          .base_dilation = attrs.ints("lhs_dilation"),
          .window_dilation = attrs.ints("rhs_dilation")};
}

}  // namespace kexue::ops::detail
