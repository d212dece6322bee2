#include "kexue/io/wire_reader.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/io/limits.h"
#include "kexue/io/utf8.h"

namespace kexue::io {
namespace {

constexpr uint64_t kMaxFieldNumber = (uint64_t{1} << 29) - 1;

}  // namespace

WireReader::WireReader(std::span<const std::byte> bytes,
                       const std::string& where,
                       uint64_t base_offset)
    : reader_(bytes, where, base_offset), where_(where) {
  if (bytes.size() > limits::kProtobufBytes) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: a message of {} bytes, the limit is {}",
                            where,
                            bytes.size(),
                            limits::kProtobufBytes));
  }
}

void WireReader::fail(uint64_t offset, const std::string& text) const {
  throw Error(Code::kCorruptData,
              fmt::format("{}: offset {}: {}", where_, offset, text));
}

bool WireReader::next(WireField* out) {
  if (reader_.left() == 0) return false;
  const uint64_t start = reader_.offset();
  const uint64_t key = reader_.varint();
  const uint64_t number = key >> 3;
  if (number < 1 || number > kMaxFieldNumber) {
    fail(start, fmt::format("field number {}, wanted 1..2^29-1", number));
  }
  *out = WireField{};
  out->number = static_cast<uint32_t>(number);
  out->type = static_cast<WireType>(key & 7u);
  out->offset = reader_.offset();
  switch (out->type) {
    case WireType::kVarint:
      out->value = reader_.varint();
      return true;
    case WireType::kFixed64:
      out->value = reader_.read<uint64_t>("a 64-bit field");
      return true;
    case WireType::kFixed32:
      out->value = reader_.read<uint32_t>("a 32-bit field");
      return true;
    case WireType::kBytes: {
      const uint64_t length = reader_.varint();
      out->offset = reader_.offset();
      out->bytes = reader_.bytes(length, "a field");
      return true;
    }
  }
  if ((key & 7u) <= 4) {
    throw Error(
        Code::kUnsupported,
        fmt::format(
            "{}: offset {}: field {} is a group", where_, start, number));
  }
  fail(start, fmt::format("wire type {}", key & 7u));
}

void WireReader::want(const WireField& field, WireType type) const {
  if (field.type == type) return;
  fail(field.offset,
       fmt::format("field {} has wire type {}, wanted {}",
                   field.number,
                   static_cast<int>(field.type),
                   static_cast<int>(type)));
}

WireReader WireReader::message(const WireField& field) const {
  want(field, WireType::kBytes);
  WireReader out(field.bytes, where_, field.offset);
  out.depth_ = depth_ + 1;
  if (out.depth_ > limits::kProtobufDepth) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: offset {}: messages deeper than {}",
                            where_,
                            field.offset,
                            limits::kProtobufDepth));
  }
  return out;
}

std::string WireReader::text(const WireField& field, uint64_t limit) const {
  want(field, WireType::kBytes);
  if (field.bytes.size() > limit) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: offset {}: text of {} bytes, the limit is {}",
                            where_,
                            field.offset,
                            field.bytes.size(),
                            limit));
  }
  std::string out(field.text());
  if (!is_utf8(out)) fail(field.offset, "text that is not UTF-8");
  return out;
}

std::span<const std::byte> WireReader::bytes(const WireField& field) const {
  want(field, WireType::kBytes);
  return field.bytes;
}

uint64_t WireReader::varint(const WireField& field) const {
  want(field, WireType::kVarint);
  return field.value;
}

void WireReader::append_varints(const WireField& field,
                                std::vector<uint64_t>& to) const {
  if (field.type == WireType::kVarint) {
    to.push_back(field.value);
    return;
  }
  want(field, WireType::kBytes);
  ByteReader reader(field.bytes, where_, field.offset);
  while (reader.left() > 0) to.push_back(reader.varint());
}

}  // namespace kexue::io
