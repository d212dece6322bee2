// Values of GGUF keys, and what they promise about each other.
#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <vector>

#include "kexue/io/gguf.h"
#include "kexue/io/gguf_types.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"

namespace kexue::io {
namespace {

template <class T>
T element(const std::string& raw, uint64_t i) {
  T value;
  std::memcpy(&value, raw.data() + i * sizeof(T), sizeof(T));
  return value;
}

constexpr uint64_t kShownTextBytes = 60;

}  // namespace

uint64_t GgufValue::size() const {
  if (type == GgufType::kString) return texts.size();
  const uint64_t width = detail::gguf_width(type);
  return width == 0 ? 0 : raw.size() / width;
}

int64_t GgufValue::integer(uint64_t i) const {
  if (i >= size()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("GGUF value: element {} of {}", i, size()));
  }
  switch (type) {
    case GgufType::kU8:
    case GgufType::kBool:
      return element<uint8_t>(raw, i);
    case GgufType::kI8:
      return element<int8_t>(raw, i);
    case GgufType::kU16:
      return element<uint16_t>(raw, i);
    case GgufType::kI16:
      return element<int16_t>(raw, i);
    case GgufType::kU32:
      return element<uint32_t>(raw, i);
    case GgufType::kI32:
      return element<int32_t>(raw, i);
    case GgufType::kI64:
      return element<int64_t>(raw, i);
    case GgufType::kU64: {
      const auto value = element<int64_t>(raw, i);
      if (value >= 0) return value;
      throw Error(Code::kUnsupported, "GGUF value: a u64 above 2^63-1");
    }
    default:
      throw Error(Code::kInvalidArgument,
                  fmt::format("GGUF value: {}, wanted an integer", summary()));
  }
}

double GgufValue::number(uint64_t i) const {
  if (i < size() && type == GgufType::kF32) return element<float>(raw, i);
  if (i < size() && type == GgufType::kF64) return element<double>(raw, i);
  return static_cast<double>(integer(i));
}

const std::string& GgufValue::text(uint64_t i) const {
  if (type != GgufType::kString || i >= size()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("GGUF value: {}, wanted text {}", summary(), i));
  }
  return texts[i];
}

std::string GgufValue::summary() const {
  if (type == GgufType::kString) {
    if (is_list) return fmt::format("{} strings", texts.size());
    return printable(texts.at(0), kShownTextBytes);
  }
  if (is_list) return fmt::format("{} x {}", size(), detail::gguf_name(type));
  if (type == GgufType::kBool) return integer() != 0 ? "true" : "false";
  const bool is_real = type == GgufType::kF32 || type == GgufType::kF64;
  if (type == GgufType::kF32) return fmt::format("{}", element<float>(raw, 0));
  if (is_real) return fmt::format("{}", element<double>(raw, 0));
  if (type == GgufType::kU64) {
    return fmt::format("{}", element<uint64_t>(raw, 0));
  }
  return fmt::format("{}", integer());
}

namespace detail {
namespace {

constexpr int64_t kByteToken = 6;  // of tokenizer.ggml.token_type

[[noreturn]] void fail(const Gguf& file, Code code, const std::string& text) {
  throw Error(code, fmt::format("{}: {}", file.where(), text));
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') ||
         (c >= 'a' && c <= 'f');
}

bool is_byte_token(std::string_view t) {
  return t.size() == 6 && t.starts_with("<0x") && is_hex(t[3]) &&
         is_hex(t[4]) && t[5] == '>';
}

void check_vocabulary(const Gguf& file) {
  const GgufValue* tokens = file.find("tokenizer.ggml.tokens");
  if (tokens == nullptr) return;
  if (tokens->type != GgufType::kString || !tokens->is_list) {
    fail(file, Code::kCorruptData, "tokenizer.ggml.tokens is no list of text");
  }
  for (const char* key :
       {"tokenizer.ggml.scores", "tokenizer.ggml.token_type"}) {
    const GgufValue* list = file.find(key);
    if (list == nullptr || list->size() == tokens->size()) continue;
    fail(file,
         Code::kCorruptData,
         fmt::format("{} has {} entries, tokenizer.ggml.tokens {}",
                     key,
                     list->size(),
                     tokens->size()));
  }
  const GgufValue* types = file.find("tokenizer.ggml.token_type");
  if (types != nullptr && types->type != GgufType::kI32 &&
      types->type != GgufType::kU32) {
    fail(file,
         Code::kCorruptData,
         "tokenizer.ggml.token_type: " + types->summary());
  }
  for (uint64_t i = 0; types != nullptr && i < types->size(); ++i) {
    if (types->integer(i) != kByteToken || is_byte_token(tokens->texts[i])) {
      continue;
    }
    fail(file,
         Code::kCorruptData,
         fmt::format("byte token {} is \"{}\", wanted <0xHH>",
                     i,
                     ascii(tokens->texts[i])));
  }
}

void check_special_ids(const Gguf& file) {
  const GgufValue* tokens = file.find("tokenizer.ggml.tokens");
  if (tokens == nullptr) return;
  for (const auto& [key, value] : file.values()) {
    if (!key.starts_with("tokenizer.ggml.") || !key.ends_with("_token_id")) {
      continue;
    }
    const bool whole = !value.is_list && value.type != GgufType::kF32 &&
                       value.type != GgufType::kF64 &&
                       value.type != GgufType::kString;
    const int64_t id = whole ? value.integer() : -1;
    if (id >= 0 && static_cast<uint64_t>(id) < tokens->size()) continue;
    fail(file,
         Code::kCorruptData,
         fmt::format("{} is {}, the vocabulary has {}",
                     printable(key),
                     value.summary(),
                     tokens->size()));
  }
}

// The N of "blk.N.rest"; -1 for other names.
int64_t block_of(std::string_view name) {
  if (!name.starts_with("blk.")) return -1;
  name.remove_prefix(4);
  int64_t n = -1;
  const auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), n);
  const bool whole =
      error == std::errc() && end != name.data() + name.size() && *end == '.';
  return whole && n >= 0 ? n : -1;
}

void check_blocks(const Gguf& file) {
  const GgufValue* split = file.find("split.count");
  if (split != nullptr && !split->is_list && split->type == GgufType::kU16 &&
      split->integer() > 1) {
    throw Error(
        Code::kUnsupported,
        fmt::format(
            "{}: one of {} parts of a model", file.where(), split->integer()),
        "join them with llama-gguf-split --merge");
  }
  const GgufValue* name = file.find("general.architecture");
  if (name == nullptr || name->type != GgufType::kString || name->is_list) {
    return;
  }
  const std::string key = name->text() + ".block_count";
  const GgufValue* blocks = file.find(key);
  if (blocks == nullptr || file.tensors().empty()) return;
  if (blocks->is_list || blocks->type != GgufType::kU32) {
    fail(file,
         Code::kCorruptData,
         fmt::format(
             "{} is {}, wanted a u32", printable(key), blocks->summary()));
  }
  const auto count = static_cast<uint64_t>(blocks->integer());
  if (count > limits::kGgufBlocks) {
    fail(file,
         Code::kUnsupported,
         fmt::format("{} {}, the limit is {}",
                     printable(key),
                     count,
                     limits::kGgufBlocks));
  }
  std::vector<bool> has(count, false);
  for (const TensorInfo& t : file.tensors()) {
    const int64_t n = block_of(t.name);
    if (n < 0) continue;
    if (static_cast<uint64_t>(n) >= count) {
      fail(
          file,
          Code::kCorruptData,
          fmt::format(
              "tensor {}: {} is {}", printable(t.name), printable(key), count));
    }
    has[static_cast<size_t>(n)] = true;
  }
  for (size_t i = 0; i < count; ++i) {
    if (has[i]) continue;
    fail(file,
         Code::kCorruptData,
         fmt::format("{} is {}, but there is no tensor blk.{}",
                     printable(key),
                     count,
                     i));
  }
}

}  // namespace

void check_gguf_model(const Gguf& file) {
  check_vocabulary(file);
  check_special_ids(file);
  check_blocks(file);
}

}  // namespace detail
}  // namespace kexue::io
