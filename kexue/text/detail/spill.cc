#include "kexue/text/detail/spill.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kexue/base/error.h"
#include "kexue/io/write_all.h"
#include "kexue/text/detail/word_order.h"

namespace kexue::text::detail {
namespace {

constexpr size_t kWriteBytes = size_t{1} << 20;
constexpr size_t kReadBytes = size_t{1} << 18;
constexpr size_t kHeadBytes = sizeof(uint64_t) + sizeof(uint32_t);

Error spill_error(const std::string& folder, int64_t negative_errno) {
  const Error e = io::os_error("write a table to", folder, negative_errno);
  return Error(
      Code::kIo, e.text(), "a larger memory limit, or another spill folder");
}

io::Descriptor open_unnamed(const std::string& folder) {
  const int fd = io::real_fs().open(folder, O_TMPFILE | O_RDWR | O_EXCL, 0600);
  if (fd < 0) throw spill_error(folder, fd);
  return {io::real_fs(), fd};
}

}  // namespace

SpillFile::SpillFile(const std::string& folder)
    : folder_(folder), file_(open_unnamed(folder)) {}

void SpillFile::add(std::string_view token, uint64_t count) {
  const auto length = static_cast<uint32_t>(token.size());  // below 1 GiB
  buffer_.append(reinterpret_cast<const char*>(&count), sizeof(count));
  buffer_.append(reinterpret_cast<const char*>(&length), sizeof(length));
  buffer_.append(token);
  if (buffer_.size() >= kWriteBytes) finish();
}

void SpillFile::finish() {
  const int64_t rc = io::write_all(io::real_fs(), file_.get(), buffer_);
  if (rc < 0) throw spill_error(folder_, rc);
  bytes_ += buffer_.size();
  buffer_.clear();
}

void SpillFile::read(uint64_t from, char* to, size_t n) const {
  while (n > 0) {
    const int64_t got = io::real_fs().read_at(file_.get(), to, n, from);
    if (got == -EINTR) continue;
    if (got <= 0) {
      throw io::os_error("read a table from", folder_, got < 0 ? got : -EIO);
    }
    from += static_cast<uint64_t>(got);
    to += got;
    n -= static_cast<size_t>(got);
  }
}

SpillReader::SpillReader(const SpillFile& file, uint64_t from, uint64_t to)
    : file_(&file), at_(from), to_(to) {}

// The next n bytes; the file is our own, so they are there.
const char* SpillReader::take(size_t n) {
  if (buffer_.size() - used_ < n) {
    buffer_.erase(0, used_);
    used_ = 0;
    const size_t have = buffer_.size();
    const auto more = static_cast<size_t>(
        std::min<uint64_t>(std::max(n - have, kReadBytes), to_ - at_));
    buffer_.resize(have + more);
    file_->read(at_, buffer_.data() + have, more);
    at_ += more;
    if (buffer_.size() < n) {
      throw Error(Code::kInternal, "a spilled table ends inside a word");
    }
  }
  used_ += n;
  return buffer_.data() + used_ - n;
}

bool SpillReader::next(std::string_view* token, uint64_t* count) {
  if (at_ == to_ && used_ == buffer_.size()) return false;
  uint32_t length = 0;
  const char* const head = take(kHeadBytes);
  std::memcpy(count, head, sizeof(*count));
  std::memcpy(&length, head + sizeof(*count), sizeof(length));
  *token = {take(length), length};
  return true;
}

SpilledTable spill(const WordTable& table, const std::string& folder) {
  SpilledTable out{.file = SpillFile(folder)};
  for (size_t s = 0; s < kShards; ++s) {
    table.for_each(s, [&](std::string_view token, uint64_t count) {
      out.file.add(token, count);
    });
    out.begins[s + 1] = out.file.bytes();
  }
  out.file.finish();
  return out;
}

MergedShard merge_shard(const std::vector<SpilledTable>& tables,
                        size_t shard,
                        SpillFile& out) {
  std::vector<std::vector<char>> texts;  // what refs point into
  std::vector<WordRef> refs;
  for (const SpilledTable& table : tables) {
    const uint64_t from = table.begins[shard];
    std::vector<char> text(table.begins[shard + 1] - from);
    table.file.read(from, text.data(), text.size());
    for (size_t at = 0; at < text.size();) {
      uint64_t count = 0;
      uint32_t length = 0;
      std::memcpy(&count, text.data() + at, sizeof(count));
      std::memcpy(&length, text.data() + at + sizeof(count), sizeof(length));
      at += kHeadBytes;
      refs.push_back(word_ref({text.data() + at, length}, count));
      at += length;
    }
    texts.push_back(std::move(text));
  }
  std::sort(refs.begin(), refs.end(), bytes_before);
  size_t kept = 0;
  for (size_t i = 0; i < refs.size(); ++i) {
    if (kept > 0 && refs[kept - 1].token() == refs[i].token()) {
      refs[kept - 1].count += refs[i].count;
    } else {
      refs[kept++] = refs[i];
    }
  }
  refs.resize(kept);
  std::sort(refs.begin(), refs.end(), comes_before);
  MergedShard merged{.distinct = kept};
  for (const WordRef& ref : refs) {
    out.add(ref.token(), ref.count);
  }
  out.finish();
  return merged;
}

}  // namespace kexue::text::detail
