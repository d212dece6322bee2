#include "kexue/data/examples.h"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "kexue/base/error.h"

namespace kexue::data {
namespace {

// Rows below this are not worth a thread.
constexpr size_t kRowsPerThread = 1024;

// Encodes rows [begin, end); returns how many were truncated.
int64_t encode_part(const Dataset& dataset,
                    const text::WordPiece& tokenizer,
                    int64_t max_len,
                    size_t begin,
                    size_t end,
                    std::vector<Example>& rows) {
  int64_t truncated = 0;
  const bool pairs = !dataset.second_texts.empty();
  for (size_t i = begin; i < end; ++i) {
    auto e = pairs ? tokenizer.encode_pair(
                         dataset.texts[i], dataset.second_texts[i], max_len)
                   : tokenizer.encode(dataset.texts[i], max_len);
    truncated += e.dropped > 0 ? 1 : 0;
    rows[i].ids = std::move(e.ids);
    rows[i].types = std::move(e.types);
    if (!dataset.labels.empty()) rows[i].label = dataset.labels[i];
    if (!dataset.scores.empty()) rows[i].score = dataset.scores[i];
  }
  return truncated;
}

}  // namespace

Examples encode(const Dataset& dataset,
                const text::WordPiece& tokenizer,
                int64_t max_len,
                int threads) {
  const size_t rows = dataset.size();
  size_t parts = threads > 0
                     ? static_cast<size_t>(threads)
                     : std::max(1u, std::thread::hardware_concurrency());
  parts = std::clamp<size_t>(rows / kRowsPerThread, 1, parts);

  Examples out;
  out.rows.resize(rows);
  out.scores = !dataset.scores.empty();
  std::vector<int64_t> truncated(parts, 0);
  std::vector<std::exception_ptr> errors(parts);
  {
    std::vector<std::jthread> workers;
    for (size_t p = 0; p < parts; ++p) {
      workers.emplace_back([&, p] {
        try {
          truncated[p] = encode_part(dataset,
                                     tokenizer,
                                     max_len,
                                     rows * p / parts,
                                     rows * (p + 1) / parts,
                                     out.rows);
        } catch (...) {
          errors[p] = std::current_exception();
        }
      });
    }
  }
  for (const auto& e : errors) {
    if (e) std::rethrow_exception(e);
  }
  for (const int64_t n : truncated) out.truncated += n;
  return out;
}

}  // namespace kexue::data
