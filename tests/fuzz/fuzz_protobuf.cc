// A protobuf message: either a clean error, or fields that, written again,
// read the same.
#include <vector>

#include "kexue/base/error.h"
#include "kexue/io/wire_reader.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/wire_image.h"

namespace kexue::fuzz {
namespace {

using io::WireField;
using io::WireReader;
using io::WireType;
using testing::varint;
using testing::wire_bytes;
using testing::wire_fixed32;
using testing::wire_number;

struct Field {
  uint32_t number;
  WireType type;
  uint64_t value;
  std::string bytes;
  bool operator==(const Field&) const = default;
};

std::vector<Field> fields_of(WireReader reader, size_t size) {
  std::vector<Field> out;
  WireField f;
  while (reader.next(&f)) {
    check(f.number >= 1 && f.number < (1u << 29), "field numbers");
    check(f.offset + f.bytes.size() <= size, "fields are in the message");
    out.push_back({f.number, f.type, f.value, std::string(f.text())});
  }
  check(out.size() <= size / 2, "a field takes two bytes");
  return out;
}

std::string written(const std::vector<Field>& fields) {
  std::string out;
  for (const Field& f : fields) {
    const uint64_t key = uint64_t{f.number} << 3;
    switch (f.type) {
      case WireType::kVarint:
        out += wire_number(f.number, f.value);
        break;
      case WireType::kFixed32:
        out += wire_fixed32(f.number, static_cast<uint32_t>(f.value));
        break;
      case WireType::kFixed64:
        out += varint(key | 1);
        out.append(reinterpret_cast<const char*>(&f.value), 8);
        break;
      case WireType::kBytes:
        out += wire_bytes(f.number, f.bytes);
        break;
    }
  }
  return out;
}

// Every field as what it could be: text, packed numbers, a message; down to
// the limit of depth, along the first field that is a message.
void read_deeper(WireReader reader, int depth) {
  check(depth <= 64, "depth is limited");
  WireField f;
  std::vector<uint64_t> numbers;
  while (reader.next(&f)) {
    try {
      reader.append_varints(f, numbers);
    } catch (const Error&) {
    }
    try {
      reader.text(f, 100);
    } catch (const Error&) {
    }
    if (f.type == WireType::kBytes) read_deeper(reader.message(f), depth + 1);
  }
}

WireReader reader_of(const std::string& image) {
  return {std::as_bytes(std::span(image.data(), image.size())), "fuzz"};
}

}  // namespace

std::vector<std::string> seeds() {
  std::string deep;
  for (int i = 0; i < 70; ++i) deep = wire_bytes(1, deep);
  return {wire_number(1, 150) + wire_bytes(2, "testing") + wire_fixed32(3, 7),
          wire_bytes(1, varint(1) + varint(300)) + wire_number(1, ~uint64_t{0}),
          wire_bytes(5, wire_bytes(6, wire_number(7, 8))),
          deep,
          testing::onnx_model({testing::onnx_tensor("w", 1, {1}, "1234")})};
}

std::vector<std::string> dictionary() {
  return {std::string(9, '\xff') + "\x01",
          std::string(10, '\xff'),
          varint(uint64_t{1} << 32),
          wire_bytes(536870911, "x"),
          wire_number(1, 0),
          "\x0b",
          "\x0c",
          wire_bytes(1, "")};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue;
  const std::string image(reinterpret_cast<const char*>(data), size);
  try {
    const auto fields = fuzz::fields_of(fuzz::reader_of(image), size);
    const std::string again = fuzz::written(fields);
    fuzz::check(fuzz::fields_of(fuzz::reader_of(again), again.size()) == fields,
                "fields survive");
    fuzz::read_deeper(fuzz::reader_of(image), 1);
  } catch (const Error& e) {
    fuzz::check_code(e);
  }
  return 0;
}
