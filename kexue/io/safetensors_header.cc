#include "kexue/io/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "kexue/base/checked.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"

namespace kexue::io::detail {
namespace {

using nlohmann::json;

struct FormatType {
  std::string_view name;
  uint64_t bits;
  std::optional<DType> dtype;
};

constexpr std::array<FormatType, 20> kFormatTypes = {{
    {"BOOL", 8, DType::kBool},    {"U8", 8, DType::kU8},
    {"I8", 8, std::nullopt},      {"F8_E4M3", 8, std::nullopt},
    {"F8_E5M2", 8, std::nullopt}, {"F8_E8M0", 8, std::nullopt},
    {"F4", 4, std::nullopt},      {"F6_E2M3", 6, std::nullopt},
    {"F6_E3M2", 6, std::nullopt}, {"I16", 16, std::nullopt},
    {"U16", 16, std::nullopt},    {"F16", 16, DType::kF16},
    {"BF16", 16, DType::kBF16},   {"I32", 32, DType::kI32},
    {"U32", 32, DType::kU32},     {"F32", 32, DType::kF32},
    {"F64", 64, DType::kF64},     {"I64", 64, DType::kI64},
    {"U64", 64, std::nullopt},    {"C64", 64, DType::kC64},
}};

const FormatType* find_type(std::string_view name) {
  for (const auto& t : kFormatTypes) {
    if (t.name == name) return &t;
  }
  return nullptr;
}

// Fills a SafetensorsHeader from parser events: a tree of a hostile header
// would take many times its size.
class HeaderSax final : public json::json_sax_t {
 public:
  explicit HeaderSax(const std::string& where) : where_(where) {}

  SafetensorsHeader header;
  std::optional<Error> error;

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t) override {
    return unexpected("a negative number");
  }
  bool number_float(number_float_t, const string_t&) override {
    return unexpected("a number that is no unsigned 64-bit integer");
  }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::kShape) {
      if (dims_.size() == limits::kTensorRank) {
        return stop(Code::kUnsupported,
                    fmt::format("rank above {}", limits::kTensorRank));
      }
      if (value > uint64_t{std::numeric_limits<int64_t>::max()}) {
        return stop(Code::kCorruptData,
                    fmt::format("dimension {} is too large", value));
      }
      dims_.push_back(static_cast<int64_t>(value));
      return true;
    }
    if (place_ == Place::kOffsets) {
      offsets_.push_back(value);
      if (offsets_.size() <= 2) return true;
      return stop(Code::kCorruptData, "more than two data_offsets");
    }
    return unexpected("a number");
  }

  bool string(string_t& value) override {
    if (place_ == Place::kMetadata) {
      header.metadata[field_] = std::move(value);
      return true;
    }
    if (place_ == Place::kTensor && field_ == "dtype") {
      entry_.dtype = std::move(value);
      return true;
    }
    return unexpected("text");
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::kOutside) {
      place_ = Place::kTop;
      return true;
    }
    if (place_ != Place::kTop) return unexpected("an object");
    if (entry_.name == "__metadata__") {
      place_ = Place::kMetadata;
    } else {
      place_ = Place::kTensor;
      fields_ = 0;
    }
    return true;
  }

  bool end_object() override {
    const Place left = std::exchange(
        place_, place_ == Place::kTop ? Place::kOutside : Place::kTop);
    return left == Place::kTensor ? finish_tensor() : true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::kTensor && field_ == "shape") {
      dims_.clear();
      place_ = Place::kShape;
      return true;
    }
    if (place_ == Place::kTensor && field_ == "data_offsets") {
      offsets_.clear();
      place_ = Place::kOffsets;
      return true;
    }
    return unexpected("an array");
  }

  bool end_array() override {
    place_ = Place::kTensor;
    return true;
  }

  bool key(string_t& name) override {
    if (place_ == Place::kTop) {
      entry_ = {};
      entry_.name = name;
      if (names_.insert(std::move(name)).second) return true;
      return stop(Code::kCorruptData, "the name appears twice");
    }
    field_ = name;
    if (place_ == Place::kMetadata) {
      if (header.metadata.count(name) == 0) return true;
      return stop(Code::kCorruptData,
                  fmt::format("key \"{}\" twice", printable(name)));
    }
    return tensor_key(name);
  }

  bool parse_error(std::size_t position,
                   const std::string&,
                   const json::exception& e) override {
    error.emplace(
        Code::kCorruptData,
        fmt::format(
            "{}: header byte {}: {}", where_, position, ascii(e.what())));
    return false;
  }

 private:
  enum class Place { kOutside, kTop, kMetadata, kTensor, kShape, kOffsets };

  bool stop(Code code, const std::string& text) {
    error.emplace(
        code,
        entry_.name.empty()
            ? fmt::format("{}: header: {}", where_, text)
            : fmt::format(
                  "{}: tensor {}: {}", where_, printable(entry_.name), text));
    return false;
  }
  bool unexpected(const char* what) {
    return stop(Code::kCorruptData,
                place_ == Place::kTensor || place_ == Place::kMetadata
                    ? fmt::format("{} for {}", what, printable(field_))
                    : fmt::format("{} in the wrong place", what));
  }

  bool tensor_key(const std::string& name) {
    const unsigned bit = name == "dtype"          ? 1u
                         : name == "shape"        ? 2u
                         : name == "data_offsets" ? 4u
                                                  : 0u;
    if (bit == 0) {
      return stop(Code::kCorruptData,
                  fmt::format("unknown key \"{}\"", printable(name)));
    }
    if ((fields_ & bit) != 0) {
      return stop(Code::kCorruptData, fmt::format("key \"{}\" twice", name));
    }
    fields_ |= bit;
    return true;
  }

  bool finish_tensor() {
    if (fields_ != 7u) {
      return stop(Code::kCorruptData,
                  "dtype, shape and data_offsets are all required");
    }
    if (offsets_.size() != 2) {
      return stop(Code::kCorruptData,
                  fmt::format("{} data_offsets, wanted 2", offsets_.size()));
    }
    entry_.shape = Shape(dims_);
    entry_.begin = offsets_[0];
    entry_.end = offsets_[1];
    header.entries.push_back(std::move(entry_));
    return true;
  }

  const std::string& where_;
  Place place_ = Place::kOutside;
  TensorEntry entry_;
  std::string field_;
  unsigned fields_ = 0;
  std::vector<int64_t> dims_;
  std::vector<uint64_t> offsets_;
  std::unordered_set<std::string> names_;
};

[[noreturn]] void corrupt(const std::string& where,
                          const TensorEntry& e,
                          const std::string& text) {
  throw Error(Code::kCorruptData,
              fmt::format("{}: tensor {}: {}", where, printable(e.name), text));
}

void check_size(const TensorEntry& e, const std::string& where) {
  const FormatType* type = find_type(e.dtype);
  if (type == nullptr) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: tensor {}: unknown dtype \"{}\"",
                            where,
                            printable(e.name),
                            printable(e.dtype)));
  }
  uint64_t bits = type->bits;
  for (const int64_t d : e.shape) {
    uint64_t product = 0;
    if (__builtin_mul_overflow(bits, static_cast<uint64_t>(d), &product)) {
      corrupt(where, e, "the size of " + e.shape.str() + " overflows");
    }
    bits = product;
  }
  if (e.begin > e.end) {
    corrupt(where, e, fmt::format("data_offsets {} > {}", e.begin, e.end));
  }
  if (bits % 8 != 0 || bits / 8 != e.end - e.begin) {
    corrupt(where,
            e,
            fmt::format("{}{} takes {} bits, {} bytes declared",
                        e.dtype,
                        e.shape.str(),
                        bits,
                        e.end - e.begin));
  }
}

// Sorted tensors must tile the data exactly.
void check_layout(const std::vector<TensorEntry>& entries,
                  uint64_t data_bytes,
                  const std::string& where,
                  bool allow_trailing_bytes) {
  uint64_t at = 0;
  for (const auto& e : entries) {
    if (e.begin != at) {
      corrupt(where,
              e,
              fmt::format("{}: begins at {}, the previous tensor ends at {}",
                          e.begin < at ? "overlap" : "gap",
                          e.begin,
                          at));
    }
    if (e.end > data_bytes) {
      corrupt(where,
              e,
              fmt::format(
                  "ends at {}, the file has {} data bytes", e.end, data_bytes));
    }
    at = e.end;
  }
  if (at != data_bytes && !allow_trailing_bytes) {
    throw Error(Code::kCorruptData,
                fmt::format("{}: the tensors end at {}, the file has {} data "
                            "bytes",
                            where,
                            at,
                            data_bytes));
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text,
                                           uint64_t data_bytes,
                                           const std::string& where,
                                           bool allow_trailing_bytes) {
  if (text.empty() || text.front() != '{') {
    throw Error(Code::kCorruptData, where + ": the header begins without '{'");
  }
  const size_t last = text.find_last_not_of(' ');
  if (text[last] != '}') {
    throw Error(Code::kCorruptData,
                where + ": only spaces may follow the '}' of the header");
  }
  HeaderSax sax(where);
  if (!json::sax_parse(text.begin(), text.end(), &sax)) throw *sax.error;

  auto header = std::move(sax.header);
  for (const auto& e : header.entries) check_size(e, where);
  std::sort(header.entries.begin(),
            header.entries.end(),
            [](const TensorEntry& a, const TensorEntry& b) {
              return std::tie(a.begin, a.end, a.name) <
                     std::tie(b.begin, b.end, b.name);
            });
  check_layout(header.entries, data_bytes, where, allow_trailing_bytes);
  return header;
}

std::optional<DType> dtype_of_safetensors(std::string_view name) {
  const FormatType* type = find_type(name);
  return type == nullptr ? std::nullopt : type->dtype;
}

std::string_view safetensors_name(DType dtype) {
  for (const auto& t : kFormatTypes) {
    if (t.dtype == dtype) return t.name;
  }
  throw Error(Code::kUnsupported,
              fmt::format("safetensors has no dtype for {}", name(dtype)),
              "write the real and the imaginary part as two tensors");
}

bool looks_like_pickle(std::string_view first) {
  if (first.substr(0, 4) == std::string_view("PK\x03\x04", 4)) return true;
  return first.size() >= 2 && first[0] == '\x80' && first[1] >= 2 &&
         first[1] <= 5;
}

void refuse_pickle(const std::string& where) {
  throw Error(Code::kUnsupported,
              where + ": a PyTorch pickle, which may run code when loaded",
              "convert it once with PyTorch: safetensors.torch.save_file("
              "torch.load(f, weights_only=True), \"model.safetensors\")");
}

}  // namespace kexue::io::detail
