#include "kexue/io/tf_table.h"

#include <fmt/format.h>

#include <optional>

#include "kexue/base/checked.h"
#include "kexue/io/byte_reader.h"
#include "kexue/io/crc32c.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"

namespace kexue::io::detail {
namespace {

constexpr uint64_t kTrailerBytes = 5;  // compression type, CRC

struct Handle {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

class TableReader final {
 public:
  explicit TableReader(const InputFile& file) : file_(file) {}

  std::vector<TableEntry> read() {
    const uint64_t bytes = file_.bytes();
    if (bytes < kTableFooterBytes) {
      fail(Code::kCorruptData,
           0,
           fmt::format("a table has at least {} bytes, this file {}",
                       kTableFooterBytes,
                       bytes));
    }
    const uint64_t at = bytes - kTableFooterBytes;
    const FileBytes footer = file_.read(at, kTableFooterBytes);
    ByteReader reader(footer.bytes, file_.where(), at);
    read_handle(reader);  // of the meta index, which nobody fills
    const Handle index = read_handle(reader);
    ByteReader magic(footer.bytes.last(8), file_.where(), bytes - 8);
    if (magic.read<uint64_t>("the magic") != kTableMagic) {
      fail(Code::kCorruptData, bytes - 8, "no table: the magic is missing");
    }
    data_end_ = at;
    std::optional<std::string> last;
    for (const TableEntry& e : read_block(index, &last)) {
      ByteReader place(e.value.bytes, file_.where(), e.offset);
      const Handle block = read_handle(place);
      // Blocks in order: no block can be read twice.
      if (block.offset < next_block_) {
        fail(Code::kCorruptData,
             e.offset,
             fmt::format("block at {}, the one before ends at {}",
                         block.offset,
                         next_block_));
      }
      next_block_ = checked_add(block.offset, block.bytes, "table block");
      for (TableEntry& entry : read_block(block, &last_key_)) {
        entries_.push_back(std::move(entry));
      }
    }
    return std::move(entries_);
  }

 private:
  [[noreturn]] void fail(Code code,
                         uint64_t offset,
                         const std::string& text) const {
    throw Error(code,
                fmt::format("{}: offset {}: {}", file_.where(), offset, text));
  }

  Handle read_handle(ByteReader& reader) const {
    Handle h;
    h.offset = reader.varint();
    h.bytes = reader.varint();
    return h;
  }

  // The checked content of a block, without its trailer.
  FileBytes block_bytes(const Handle& h) const {
    const uint64_t end = checked_add(
        checked_add(h.offset, h.bytes, "table block"), kTrailerBytes, "block");
    if (end > data_end_) {
      fail(Code::kCorruptData,
           h.offset,
           fmt::format("a block of {} bytes and {} more, {} left",
                       h.bytes,
                       kTrailerBytes,
                       h.offset > data_end_ ? 0 : data_end_ - h.offset));
    }
    FileBytes block = file_.read(h.offset, h.bytes + kTrailerBytes);
    ByteReader trailer(
        block.bytes.last(4), file_.where(), h.offset + h.bytes + 1);
    const auto type = std::to_integer<int>(block.bytes[h.bytes]);
    const auto stored = trailer.read<uint32_t>("a CRC");
    const uint32_t found = mask_crc(crc32c(block.bytes.first(h.bytes + 1)));
    if (stored != found) {
      fail(Code::kCorruptData,
           h.offset,
           fmt::format(
               "CRC of the block is {:08x}, {:08x} is stored", found, stored));
    }
    if (type != 0) {
      fail(type == 1 ? Code::kUnsupported : Code::kCorruptData,
           h.offset,
           type == 1 ? "a block that is compressed with Snappy"
                     : fmt::format("compression type {}", type));
    }
    block.bytes = block.bytes.first(h.bytes);
    return block;
  }

  // Entries: shared, unshared, value length (varints), rest of key, value;
  // then the restart points, which only searches need.
  std::vector<TableEntry> read_block(const Handle& h,
                                     std::optional<std::string>* last) {
    const FileBytes block = block_bytes(h);
    const uint64_t bytes = block.bytes.size();
    if (bytes < 4) fail(Code::kCorruptData, h.offset, "no restart points");
    ByteReader tail(block.bytes.last(4), file_.where(), h.offset + bytes - 4);
    const auto restarts = tail.read<uint32_t>("the number of restarts");
    if (restarts > (bytes - 4) / 4) {
      fail(Code::kCorruptData,
           h.offset,
           fmt::format("{} restart points in {} bytes", restarts, bytes));
    }
    const uint64_t end = bytes - 4 - uint64_t{restarts} * 4;
    ByteReader reader(block.bytes.first(end), file_.where(), h.offset);
    std::vector<TableEntry> out;
    std::string key;
    while (reader.left() > 0) {
      const uint64_t start = reader.offset();
      const uint64_t shared = reader.varint();
      const uint64_t rest = reader.varint();
      const uint64_t value = reader.varint();
      if (shared > key.size()) {
        fail(Code::kCorruptData,
             start,
             fmt::format(
                 "{} bytes shared with a key of {}", shared, key.size()));
      }
      key.resize(shared);
      key += reader.text(rest, "a key");
      check_key(key, *last, start);
      *last = key;
      const uint64_t at = reader.offset();
      out.push_back({key, {reader.bytes(value, "a value"), block.owner}, at});
    }
    return out;
  }

  void check_key(const std::string& key,
                 const std::optional<std::string>& last,
                 uint64_t offset) {
    if (last && key <= *last) {
      fail(Code::kCorruptData,
           offset,
           fmt::format(
               "key \"{}\" after \"{}\"", ascii(key, 60), ascii(*last, 60)));
    }
    key_bytes_ += key.size();
    if (key.size() > limits::kTableKeyBytes ||
        key_bytes_ > limits::kTableKeysBytes ||
        ++count_ > limits::kTableEntries) {
      fail(Code::kUnsupported,
           offset,
           fmt::format("key {} has {} bytes, all have {}; the limits are {}, "
                       "{} and {}",
                       count_,
                       key.size(),
                       key_bytes_,
                       limits::kTableEntries,
                       limits::kTableKeyBytes,
                       limits::kTableKeysBytes));
    }
  }

  const InputFile& file_;
  std::vector<TableEntry> entries_;
  uint64_t data_end_ = 0;
  uint64_t next_block_ = 0;
  std::optional<std::string> last_key_;
  uint64_t key_bytes_ = 0;
  uint64_t count_ = 0;
};

}  // namespace

std::vector<TableEntry> read_table(const InputFile& file) {
  return TableReader(file).read();
}

}  // namespace kexue::io::detail
