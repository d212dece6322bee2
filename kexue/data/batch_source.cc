#include "kexue/data/batch_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "kexue/base/error.h"

namespace kexue::data {

std::vector<int64_t> Position::words() const {
  std::vector<int64_t> out = {epoch, batch};
  out.insert(out.end(), stream.begin(), stream.end());
  return out;
}

Position Position::from_words(std::span<const int64_t> words) {
  if (words.size() < 2) {
    throw Error(Code::kCorruptData,
                fmt::format("data position: {} numbers, wanted at least 2",
                            words.size()));
  }
  const auto rest = words.subspan(2);
  return {words[0], words[1], {rest.begin(), rest.end()}};
}

int64_t Minibatch::real_rows() const {
  return std::count_if(
      rows.begin(), rows.end(), [](int64_t row) { return row >= 0; });
}

}  // namespace kexue::data
