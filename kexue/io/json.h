// JSON from outside, checked before it becomes a tree.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "kexue/io/file_system.h"
#include "kexue/io/limits.h"

namespace kexue::io {

struct JsonLimits {
  uint64_t max_bytes = limits::kJsonBytes;
  uint64_t max_depth = limits::kJsonDepth;
  uint64_t max_values = limits::kJsonValues;  // a tree takes ~40 bytes each
};

// A first pass without a tree checks syntax, UTF-8, depth, number of values
// and duplicate keys (plain parsers keep the last one silently).
// Errors: kCorruptData with `where` and the byte offset; kUnsupported beyond a
//         limit.
// Note:   sizes must be is_number_unsigned(): a parser turns 2^64 into a
//         float, and get<uint64_t>() makes 2^64-1 of -1.
nlohmann::json parse_json(std::string_view text,
                          const std::string& where,
                          const JsonLimits& limits = {});
nlohmann::json parse_json_file(const std::string& path,
                               const JsonLimits& limits = {},
                               FileSystem& fs = real_fs());

}  // namespace kexue::io
