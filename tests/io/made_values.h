// The numbers in tests/golden/files, computed again: make_files.py says how.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "kexue/io/tensor_source.h"
#include "tests/support/data_files.h"

namespace kexue::testing {

inline std::string made_file(const std::string& name) {
  return golden_path("files/" + name);
}

// Element i of the tensor that was made as `name`.
inline double made_value(const std::string& name, int64_t i, DType dtype) {
  int64_t sum = 0;
  for (const char c : name) sum += static_cast<unsigned char>(c);
  const int64_t whole = (37 * i + sum) % 101 - 50;
  if (dtype == DType::kBool) return whole % 2 == 0 ? 1 : 0;
  if (!is_integer(dtype)) return static_cast<double>(whole) / 8;
  return static_cast<double>(whole);
}

// `is_unsigned` for what was made without a sign, and may be read as i32.
inline void expect_made(const HostArray& a,
                        const std::string& name,
                        bool is_unsigned = false) {
  SCOPED_TRACE(name);
  const double shift = is_unsigned ? 50 : 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a.at(i), made_value(name, i, a.dtype()) + shift) << i;
  }
}

// The same for a matrix that was made as [n,m] and is read as [m,n].
inline void expect_made_transposed(const HostArray& a,
                                   const std::string& name) {
  SCOPED_TRACE(name);
  const int64_t rows = a.shape()[0];
  const int64_t columns = a.shape()[1];
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      ASSERT_EQ(a.at(i * columns + j),
                made_value(name, j * rows + i, a.dtype()));
    }
  }
}

// CRC-32 (zlib's) of an array's bytes, as eight hexadecimal digits.
inline std::string crc32_text(const HostArray& a) {
  std::array<uint32_t, 256> table{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t c = b;
    for (int i = 0; i < 8; ++i) c = (c >> 1) ^ ((c & 1u) * 0xEDB88320u);
    table[b] = c;
  }
  uint32_t c = ~0u;
  for (size_t i = 0; i < a.bytes(); ++i) {
    c = (c >> 8) ^ table[(c ^ std::to_integer<uint32_t>(a.data()[i])) & 0xFFu];
  }
  char text[9];
  std::snprintf(text, sizeof(text), "%08x", ~c);
  return text;
}

inline HostArray tensor_named(const io::TensorSource& source,
                              const std::string& name) {
  return source.tensor(source.index_of(name));
}

inline std::vector<std::string> names_of(const io::TensorSource& source) {
  std::vector<std::string> out;
  for (const auto& t : source.tensors()) out.push_back(t.name);
  return out;
}

}  // namespace kexue::testing
