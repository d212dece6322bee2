// WordCounts: the result, in memory or in parts on disk.
#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/text/detail/spilled_counts.h"
#include "kexue/text/detail/word_order.h"
#include "kexue/text/word_count.h"

namespace kexue::text {
namespace {

constexpr size_t kWriteBytes = size_t{1} << 20;

// The next word of one sorted shard.
struct Head {
  std::string token;
  uint64_t count = 0;
  size_t reader = 0;
};

// For a queue whose top comes first.
bool comes_later(const Head& a, const Head& b) {
  return a.count != b.count ? a.count < b.count : a.token > b.token;
}

}  // namespace

WordCounts::WordCounts() = default;
WordCounts::WordCounts(FrequencyTable table, CountStatistics statistics)
    : table_(std::move(table)), statistics_(statistics) {}
WordCounts::WordCounts(std::unique_ptr<Spilled> spilled,
                       CountStatistics statistics)
    : spilled_(std::move(spilled)), statistics_(statistics) {}
WordCounts::WordCounts(WordCounts&&) noexcept = default;
WordCounts& WordCounts::operator=(WordCounts&&) noexcept = default;
WordCounts::~WordCounts() = default;

const FrequencyTable& WordCounts::table() const {
  if (spilled_) {
    throw Error(Code::kUnsupported,
                fmt::format("{} words were too many for the memory limit; "
                            "their table is on disk",
                            statistics_.distinct),
                "raise memory_bytes, or read it with for_each()");
  }
  return table_;
}

FrequencyTable& WordCounts::table() {
  return const_cast<FrequencyTable&>(std::as_const(*this).table());
}

void WordCounts::for_each(
    const TableCut& cut,
    const std::function<void(std::string_view, uint64_t)>& fn) const {
  if (!spilled_) {
    detail::WordOrder order(cut);
    for (size_t s = 0; s < detail::kShards; ++s) {
      table_.words().for_each(
          s, [&](std::string_view t, uint64_t n) { order.add(t, n); });
    }
    order.for_each(fn);
    return;
  }
  std::vector<detail::SpillReader> readers;
  std::priority_queue<Head, std::vector<Head>, decltype(&comes_later)> heads(
      comes_later);
  const auto advance = [&](size_t reader) {
    std::string_view token;
    uint64_t count = 0;
    if (!readers[reader].next(&token, &count)) return;
    if (count < cut.min_count) return;  // all others of it, too
    heads.push({std::string(token), count, reader});
  };
  for (const auto& shard : spilled_->shards) {
    readers.emplace_back(shard, 0, shard.bytes());
  }
  for (size_t i = 0; i < readers.size(); ++i) advance(i);
  for (size_t n = 0; n < cut.top && !heads.empty(); ++n) {
    const Head head = heads.top();
    heads.pop();
    fn(head.token, head.count);
    advance(head.reader);
  }
}

void WordCounts::save_tsv(const std::string& path,
                          const TableCut& cut,
                          io::FileSystem& fs) const {
  io::AtomicFile file(path, fs);
  std::string lines;
  for_each(cut, [&](std::string_view token, uint64_t n) {
    detail::append_line(token, n, lines);
    if (lines.size() >= kWriteBytes) {
      file.write(lines);
      lines.clear();
    }
  });
  file.write(lines);
  file.commit();
}

}  // namespace kexue::text
