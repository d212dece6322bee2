// One bad file per rule of the format.
#include <gtest/gtest.h>

#include <vector>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/gguf_image.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::gguf_key;
using testing::gguf_list;
using testing::gguf_tensor;
using testing::gguf_text;
using testing::GgufImage;
using testing::le;

struct Bad {
  const char* rule;
  std::string image;
  Code code;
  std::string text;
};

constexpr Code kCorrupt = Code::kCorruptData;
constexpr Code kRefused = Code::kUnsupported;
constexpr uint32_t kU8 = 0, kI8 = 1, kU16 = 2, kU32 = 4, kI32 = 5, kF32 = 6,
                   kBool = 7, kText = 8;

std::string head(uint32_t version, uint64_t tensors, uint64_t keys) {
  return "GGUF" + le(version) + le(tensors) + le(keys);
}

std::string keys(std::vector<std::string> all) {
  return GgufImage{.keys = std::move(all)}.str();
}

std::string tensors(std::vector<std::string> all, uint64_t data_bytes) {
  return GgufImage{.tensors = std::move(all), .data_bytes = data_bytes}.str();
}

std::string texts(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& s : all) out += gguf_text(s);
  return out;
}

std::vector<Bad> header_rules() {
  return {
      {"empty", "", kCorrupt, "the magic needs 4 bytes, 0 left"},
      {"magic", "GGUG" + std::string(40, '\0'), kCorrupt, "begin with"},
      {"no_version", "GGUF\3", kCorrupt, "the version needs 4 bytes"},
      {"version_0", head(0, 0, 0), kRefused, "version 0"},
      {"version_1", head(1, 0, 0), kRefused, "GGUF version 1"},
      {"version_4", head(4, 0, 0), kRefused, "GGUF version 4"},
      {"big_endian", head(0x03000000, 0, 0), kRefused, "big-endian"},
      {"no_counts", "GGUF" + le<uint32_t>(3), kCorrupt, "tensors needs 8"},
      {"tensors_limit", head(3, 65537, 0), kRefused, "65537 tensors"},
      {"tensors_max", head(3, UINT64_MAX, 0), kRefused, "limit is 65536"},
      {"tensors_left", head(3, 65536, 0), kCorrupt, "65536 tensors"},
      {"keys_limit", head(3, 0, 65537), kRefused, "65537 keys"},
      {"keys_left", head(3, 0, 1), kCorrupt, "1 keys of at least 13"},
  };
}

std::vector<Bad> key_rules() {
  return {
      {"key_empty", keys({gguf_key("", kU8, "x")}), kCorrupt, "is empty"},
      {"key_utf8", keys({gguf_key("\xff", kU8, "x")}), kCorrupt, "\\xff"},
      {"key_long",
       keys({gguf_key(std::string(257, 'k'), kU8, "x")}),
       kRefused,
       "key of 257 bytes, the limit is 256"},
      {"key_length",
       head(3, 0, 1) + le(UINT64_MAX) + std::string(20, 'x'),
       kCorrupt,
       "18446744073709551615 key"},
      {"key_twice",
       keys({gguf_key("k", kU8, "x"), gguf_key("k", kU8, "x")}),
       kCorrupt,
       "key k twice"},
      {"type_13", keys({gguf_key("k", 13, "x")}), kRefused, "13 is unknown"},
      {"type_max", keys({gguf_key("k", UINT32_MAX, "x")}), kRefused, "unknown"},
      {"bool_2", keys({gguf_key("k", kBool, "\2")}), kCorrupt, "bool of 2"},
      {"bools_2",
       keys({gguf_list("k", kBool, 2, std::string("\1\3"))}),
       kCorrupt,
       "bool of 3"},
      {"list_of_lists",
       keys({gguf_list("k", 9, 1, le(kU8) + le<uint64_t>(0))}),
       kRefused,
       "a list of lists"},
      {"list_type", keys({gguf_list("k", 77, 1, "x")}), kRefused, "77"},
      {"list_count",
       keys({gguf_list("k", kU32, uint64_t{1} << 62, "")}),
       kCorrupt,
       "4611686018427387904 numbers"},
      {"list_max",
       keys({gguf_list("k", kU32, UINT64_MAX, "")}),
       kCorrupt,
       "numbers of at least 4"},
      {"list_of_texts",
       keys({gguf_list("k", kText, 1000, gguf_text("a"))}),
       kCorrupt,
       "1000 strings of at least 8"},
      {"text_left",
       keys({gguf_key("k", kText, le(uint64_t{999}) + "abc")}),
       kCorrupt,
       "999 string"},
      {"alignment_0",
       keys({gguf_key("general.alignment", kU32, le<uint32_t>(0))}),
       kCorrupt,
       "no power of two"},
      {"alignment_24",
       keys({gguf_key("general.alignment", kU32, le<uint32_t>(24))}),
       kCorrupt,
       "alignment 24"},
      {"alignment_big",
       keys({gguf_key("general.alignment", kU32, le<uint32_t>(1u << 21))}),
       kRefused,
       "the limit is 1048576"},
      {"alignment_type",
       keys({gguf_key("general.alignment", kU16, le<uint16_t>(32))}),
       kCorrupt,
       "wanted a u32"},
  };
}

std::vector<Bad> tensor_rules() {
  const auto one = [](std::vector<uint64_t> dims,
                      uint32_t type,
                      uint64_t offset,
                      uint64_t bytes) {
    return tensors({gguf_tensor("w", dims, type, offset)}, bytes);
  };
  const uint64_t big = uint64_t{1} << 32;
  return {
      {"name_empty",
       tensors({gguf_tensor("", {1}, 0, 0)}, 4),
       kCorrupt,
       "tensor name"},
      {"name_long",
       tensors({gguf_tensor(std::string(256, 'n'), {1}, 0, 0)}, 4),
       kRefused,
       "tensor name of 256 bytes"},
      {"name_twice",
       tensors({gguf_tensor("w", {8}, 0, 0), gguf_tensor("w", {8}, 0, 32)}, 64),
       kCorrupt,
       "tensor w twice"},
      {"rank_0", one({}, 0, 0, 4), kCorrupt, "rank 0, wanted 1-4"},
      {"rank_5", one({1, 1, 1, 1, 1}, 0, 0, 4), kRefused, "rank 5"},
      {"dim_2_63", one({uint64_t{1} << 63}, 0, 0, 4), kCorrupt, "too large"},
      {"product", one({big, big, 2}, 0, 0, 4), kCorrupt, "overflows"},
      {"bytes", one({big, big / 8}, 28, 0, 4), kCorrupt, "overflows"},
      {"type_unknown", one({32}, 99, 0, 4), kRefused, "type 99 is unknown"},
      {"type_removed", one({32}, 4, 0, 40), kRefused, "type 4 is unknown"},
      {"block",
       one({33}, 8, 0, 68),
       kCorrupt,
       "rows of 33 weights, Q8_0 has blocks of 32"},
      {"offset_odd", one({1}, 0, 4, 64), kCorrupt, "at offset 4, wanted 0"},
      {"offset_max",
       one({1}, 0, UINT64_MAX - 31, 64),
       kCorrupt,
       "at offset 18446744073709551584, wanted 0"},
      {"gap",
       tensors({gguf_tensor("a", {1}, 0, 0), gguf_tensor("b", {1}, 0, 64)},
               128),
       kCorrupt,
       "tensor b at offset 64, wanted 32"},
      {"overlap",
       tensors({gguf_tensor("a", {16}, 0, 0), gguf_tensor("b", {1}, 0, 32)},
               128),
       kCorrupt,
       "tensor b at offset 32, wanted 64"},
      {"beyond", one({2}, 0, 0, 7), kCorrupt, "the file has"},
      {"far_beyond",
       one({uint64_t{1} << 60}, 0, 0, 4),
       kCorrupt,
       "tensor w: ends at"},
      {"padding_missing",
       head(3, 1, 0) + gguf_tensor("w", {0}, 0, 0),
       kCorrupt,
       "tensor w: ends at"},
  };
}

std::vector<Bad> model_rules() {
  const std::string tokens =
      gguf_list("tokenizer.ggml.tokens", kText, 2, texts({"a", "b"}));
  const std::string arch =
      gguf_key("general.architecture", kText, gguf_text("m"));
  const auto blocks = [&](uint32_t count, const std::string& name) {
    return GgufImage{.keys = {arch, gguf_key("m.block_count", kU32, le(count))},
                     .tensors = {gguf_tensor(name, {1}, 0, 0)},
                     .data_bytes = 4}
        .str();
  };
  return {
      {"tokens_type",
       keys({gguf_list("tokenizer.ggml.tokens", kU8, 1, "x")}),
       kCorrupt,
       "no list of text"},
      {"scores",
       keys({tokens, gguf_list("tokenizer.ggml.scores", kF32, 1, le(1.0f))}),
       kCorrupt,
       "scores has 1 entries, tokenizer.ggml.tokens 2"},
      {"types",
       keys({tokens,
             gguf_list("tokenizer.ggml.token_type",
                       kI32,
                       3,
                       le<int32_t>(1) + le<int32_t>(1) + le<int32_t>(1))}),
       kCorrupt,
       "token_type has 3 entries"},
      {"types_type",
       keys({tokens, gguf_list("tokenizer.ggml.token_type", kU8, 2, "xx")}),
       kCorrupt,
       "token_type: 2 x u8"},
      {"byte_token",
       keys({tokens,
             gguf_list("tokenizer.ggml.token_type",
                       kI32,
                       2,
                       le<int32_t>(1) + le<int32_t>(6))}),
       kCorrupt,
       "byte token 1 is \"b\""},
      {"special_id",
       keys({tokens,
             gguf_key("tokenizer.ggml.bos_token_id", kU32, le<uint32_t>(2))}),
       kCorrupt,
       "bos_token_id is 2, the vocabulary has 2"},
      {"special_negative",
       keys({tokens, gguf_key("tokenizer.ggml.eos_token_id", kI8, "\xff")}),
       kCorrupt,
       "eos_token_id is -1"},
      {"special_text",
       keys({tokens,
             gguf_key("tokenizer.ggml.eos_token_id", kText, gguf_text("1"))}),
       kCorrupt,
       "eos_token_id is 1"},
      {"blocks_limit", blocks(1025, "blk.0.x"), kRefused, "limit is 1024"},
      {"block_missing",
       blocks(2, "blk.0.x"),
       kCorrupt,
       "m.block_count is 2, but there is no tensor blk.1"},
      {"block_too_many",
       blocks(1, "blk.1.x"),
       kCorrupt,
       "tensor blk.1.x: m.block_count is 1"},
      {"blocks_type",
       GgufImage{.keys = {arch, gguf_key("m.block_count", kF32, le(1.0f))},
                 .tensors = {gguf_tensor("w", {1}, 0, 0)},
                 .data_bytes = 4}
           .str(),
       kCorrupt,
       "wanted a u32"},
      {"split",
       keys({gguf_key("split.count", kU16, le<uint16_t>(3))}),
       kRefused,
       "one of 3 parts"},
  };
}

TEST(GgufBad, EachRuleHasItsError) {
  const testing::TempFolder dir;
  size_t count = 0;
  for (const auto& rules :
       {header_rules(), key_rules(), tensor_rules(), model_rules()}) {
    for (const Bad& bad : rules) {
      SCOPED_TRACE(bad.rule);
      ++count;
      EXPECT_ERROR(testing::open_gguf(bad.image), bad.code, bad.text, "image");
      write_file(dir / bad.rule, bad.image);
      EXPECT_ERROR(
          Gguf::open(dir / bad.rule), bad.code, bad.text, dir / bad.rule);
    }
  }
  EXPECT_GE(count, 60u);
}

TEST(GgufBad, EveryCutOfAGoodFileIsRefused) {
  const std::string good = GgufImage{.keys = {gguf_key("k", kU8, "x")},
                                     .tensors = {gguf_tensor("w", {32}, 8, 0)},
                                     .data_bytes = 34}
                               .str();
  EXPECT_EQ(testing::open_gguf(good)->tensors().size(), 1u);
  for (size_t n = 0; n < good.size(); ++n) {
    EXPECT_THROW(testing::open_gguf(good.substr(0, n)), Error) << n;
  }
}

TEST(GgufBad, KnownTypesWithoutDecoderAreListedOnly) {
  const auto file =
      testing::open_gguf(tensors({gguf_tensor("w", {256}, 12, 0)}, 144));
  EXPECT_EQ(file->tensors()[0].stored, "Q4_K");
  EXPECT_ERROR(file->tensor(0), kRefused, "tensor w: Q4_K is not supported");
}

TEST(GgufBad, AStringAboveTheLimitIsUnsupported) {
  const testing::TempFolder dir;
  const uint64_t bytes = (16u << 20) + 1;
  write_file(dir / "f",
             keys({gguf_key("k", kText, le(bytes) + std::string(bytes, 'x'))}));
  EXPECT_ERROR(Gguf::open(dir / "f"),
               kRefused,
               "string of 16777217 bytes, the limit is 16777216");
}

}  // namespace
}  // namespace kexue::io
