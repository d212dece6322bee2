// Private to io: the sorted table of keys and values in a checkpoint's index
// (LevelDB's table format, as TensorFlow writes it).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kexue/io/input_file.h"

namespace kexue::io::detail {

inline constexpr uint64_t kTableFooterBytes = 48;
inline constexpr uint64_t kTableMagic = 0xDB4775248B80FB57u;

struct TableEntry {
  std::string key;
  FileBytes value;
  uint64_t offset = 0;  // of the value, in the file
};

// All entries in the order of their keys.
//
// Checks: magic; blocks inside the file, one after the other, with the right
//         masked CRC-32C; no compression; shared prefixes no longer than the
//         key before; keys strictly ascending, at most 4096 bytes each and
//         64 MiB together; at most 1,000,000 entries.
// Errors: kCorruptData with the offset; kUnsupported for compressed blocks
//         and limits.
// Source: leveldb, doc/table_format.md.
std::vector<TableEntry> read_table(const InputFile& file);

}  // namespace kexue::io::detail
