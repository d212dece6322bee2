#include "kexue/io/widen.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>

#include "kexue/io/printable.h"

namespace kexue::io::detail {
namespace {

template <class From, class To>
void copy(std::span<const std::byte> from, std::span<To> to) {
  for (size_t i = 0; i < to.size(); ++i) {
    From value;
    std::memcpy(&value, from.data() + i * sizeof(From), sizeof(From));
    to[i] = static_cast<To>(value);
  }
}

size_t width(Narrow kind) {
  switch (kind) {
    case Narrow::kI8:
      return 1;
    case Narrow::kI16:
    case Narrow::kU16:
      return 2;
    case Narrow::kU64:
      break;
  }
  return 8;
}

}  // namespace

HostArray widened(Narrow kind,
                  const Shape& shape,
                  const FileBytes& data,
                  const std::string& where,
                  std::string_view name) {
  const auto count = static_cast<uint64_t>(shape.size());
  if (data.bytes.size() / width(kind) != count ||
      data.bytes.size() % width(kind) != 0) {
    throw Error(Code::kCorruptData,
                fmt::format("{}: tensor {}: {} bytes for shape {}",
                            where,
                            printable(name),
                            data.bytes.size(),
                            shape.str()));
  }
  HostArray out(wide_dtype(kind), shape);
  if (kind == Narrow::kI8) {
    copy<int8_t>(data.bytes, out.mutable_span<int32_t>());
  } else if (kind == Narrow::kI16) {
    copy<int16_t>(data.bytes, out.mutable_span<int32_t>());
  } else if (kind == Narrow::kU16) {
    copy<uint16_t>(data.bytes, out.mutable_span<int32_t>());
  } else {
    const auto to = out.mutable_span<int64_t>();
    copy<uint64_t>(data.bytes, to);
    for (const int64_t v : to) {
      if (v >= 0) continue;
      throw Error(Code::kUnsupported,
                  fmt::format("{}: tensor {}: {} is above 2^63-1",
                              where,
                              printable(name),
                              static_cast<uint64_t>(v)));
    }
  }
  return out;
}

}  // namespace kexue::io::detail
