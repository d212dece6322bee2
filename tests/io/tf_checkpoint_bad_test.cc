// One bad file per rule of the format.
#include <gtest/gtest.h>

#include <vector>

#include "kexue/io/atomic_file.h"
#include "tests/io/made_values.h"
#include "tests/support/checkpoint_image.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::bundle_entry;
using testing::bundle_header;
using testing::handle;
using testing::le;
using testing::one_block;
using testing::table;
using testing::table_block;
using testing::table_footer;
using testing::TableRow;
using testing::varint;
using testing::wire_bytes;
using testing::wire_number;

struct Bad {
  const char* rule;
  std::string index;
  Code code;
  std::string text;
};

constexpr Code kCorrupt = Code::kCorruptData;
constexpr Code kRefused = Code::kUnsupported;
constexpr uint64_t kFloat = 1, kBool = 10;
const std::string kData(8, '\0');  // of the one shard

const TableRow kHeader{"", bundle_header(1)};

std::string with_entry(const std::string& entry) {
  return one_block({kHeader, {"w", entry}});
}

std::string good() {
  return with_entry(bundle_entry(kFloat, {2}, 0, 8, testing::masked(kData)));
}

// The good file with one byte changed.
std::string changed(size_t at) {
  std::string out = good();
  out[at] = static_cast<char>(out[at] ^ 1);
  return out;
}

std::vector<Bad> table_rules() {
  const std::string block = table_block({kHeader});
  const std::string meta = table_block({}, 0, 0);
  // One block and a footer that says where the index is.
  const auto placed = [&](const std::string& index_handle) {
    return block + meta +
           table_footer(handle(block.size(), meta.size()), index_handle);
  };
  std::string no_magic = good();
  no_magic.back() = 'x';
  return {
      {"empty", "", kCorrupt, "at least 48 bytes, this file 0"},
      {"short", std::string(47, 'x'), kCorrupt, "this file 47"},
      {"magic", no_magic, kCorrupt, "the magic is missing"},
      {"handle_varint",
       table_footer(std::string(10, '\xff'), ""),
       kCorrupt,
       "more than 64 bits"},
      {"index_beyond", placed(varint(9999) + varint(1)), kCorrupt, "0 left"},
      {"index_long", placed(varint(0) + varint(9999)), kCorrupt, "9999 bytes"},
      {"index_wraps",
       placed(varint(~uint64_t{0}) + varint(8)),
       kCorrupt,
       "overflows"},
      {"block_sum", changed(3), kCorrupt, "CRC of the block is"},
      {"snappy",
       table({table_block({kHeader}, 1)}, {""}),
       kRefused,
       "compressed with Snappy"},
      {"compression_7",
       table({table_block({kHeader}, 7)}, {""}),
       kCorrupt,
       "compression type 7"},
      {"restarts",
       table({table_block({kHeader}, 0, 0).substr(0, 0) +
              [] {
                std::string b = le<uint32_t>(1000) + std::string(1, '\0');
                return b + le(testing::masked(b));
              }()},
             {""}),
       kCorrupt,
       "1000 restart points in 4 bytes"},
      {"no_restarts",
       table({[] {
               std::string b("\0\0", 2);
               return b + le(testing::masked(b));
             }()},
             {""}),
       kCorrupt,
       "no restart points"},
      {"shared",
       one_block({{"a", ""}, {"b", "", 2}}),
       kCorrupt,
       "2 bytes shared with a key of 1"},
      {"order", one_block({{"b", ""}, {"a", ""}}), kCorrupt, "after \"b\""},
      {"twice", one_block({{"a", ""}, {"a", ""}}), kCorrupt, "after \"a\""},
      {"order_of_blocks",
       table({table_block({{"b", ""}}), table_block({{"a", ""}})}, {"c", "d"}),
       kCorrupt,
       "key \"a\" after \"b\""},
      {"key_long",
       one_block({{std::string(4097, 'k'), ""}}),
       kRefused,
       "has 4097 bytes"},
      {"same_block_twice",
       [&] {
         std::string out = block;
         const std::string index = table_block(
             {{"a", handle(0, block.size())}, {"b", handle(0, block.size())}});
         return out + index +
                table_footer(handle(0, block.size()),
                             handle(out.size(), index.size()));
       }(),
       kCorrupt,
       "block at 0, the one before ends at"},
  };
}

std::vector<Bad> bundle_rules() {
  const auto header = [](const std::string& value) {
    return one_block({{"", value}});
  };
  const uint32_t sum = testing::masked(kData);
  const auto entry = [&](uint64_t type,
                         const std::vector<uint64_t>& dims,
                         uint64_t offset,
                         uint64_t size,
                         uint64_t shard) {
    return with_entry(bundle_entry(type, dims, offset, size, sum, shard));
  };
  const uint64_t big = uint64_t{1} << 32;
  return {
      {"no_header", one_block({{"w", ""}}), kCorrupt, "no header entry"},
      {"no_entries", one_block({}), kCorrupt, "no header entry"},
      {"shards_0", header(bundle_header(0)), kCorrupt, "0 shards"},
      {"shards_limit", header(bundle_header(10001)), kRefused, "10001 shards"},
      {"shards_max", header(bundle_header(~0ull)), kRefused, "wanted 1..10000"},
      {"big_endian", header(bundle_header(1, 1)), kRefused, "big-endian"},
      {"version",
       header(bundle_header(1) + wire_bytes(3, wire_number(2, 2))),
       kRefused,
       "a reader of version 2"},
      {"v1", header(wire_bytes(1, "x")), kRefused, "of format V1"},
      {"header_cut", header("\x08"), kCorrupt, "a varint needs"},
      {"type_0", entry(0, {2}, 0, 8, 0), kRefused, "DataType 0 is unknown"},
      {"type_ref", entry(101, {2}, 0, 8, 0), kRefused, "DataType 101"},
      {"shard", entry(kFloat, {2}, 0, 8, 1), kCorrupt, "shard 1 of 1"},
      {"size_short", entry(kFloat, {2}, 0, 7, 0), kCorrupt, "takes 8 bytes, 7"},
      {"size_long", entry(kFloat, {1}, 0, 8, 0), kCorrupt, "takes 4 bytes, 8"},
      {"beyond", entry(kFloat, {2}, 1, 8, 0), kCorrupt, "8 bytes at 1, the"},
      {"offset_max", entry(kFloat, {2}, ~0ull, 8, 0), kCorrupt, "overflows"},
      {"product", entry(kFloat, {big, big}, 0, 8, 0), kCorrupt, "overflows"},
      {"dim_negative", entry(kFloat, {~0ull}, 0, 8, 0), kCorrupt, "dimension"},
      {"rank",
       entry(kFloat, std::vector<uint64_t>(17, 1), 0, 4, 0),
       kRefused,
       "rank above 16"},
      {"rank_unknown",
       with_entry(wire_number(1, 1) + wire_bytes(2, wire_number(3, 1))),
       kCorrupt,
       "unknown rank"},
      {"slices",
       with_entry(bundle_entry(kFloat, {2}, 0, 8, sum) + wire_bytes(7, "")),
       kRefused,
       "a partitioned variable"},
      {"crc_type",
       with_entry(wire_number(1, 1) + wire_number(6, 1)),
       kCorrupt,
       "no 32-bit CRC"},
      {"name_utf8",
       one_block({kHeader, {"\xff", bundle_entry(kFloat, {2}, 0, 8, sum)}}),
       kCorrupt,
       "tensor \\xff: not UTF-8"},
  };
}

TEST(TfCheckpointBad, EachRuleHasItsError) {
  EXPECT_NO_THROW(testing::open_checkpoint(good(), kData)->tensor(0));
  size_t count = 0;
  for (const auto& rules : {table_rules(), bundle_rules()}) {
    for (const Bad& bad : rules) {
      SCOPED_TRACE(bad.rule);
      ++count;
      EXPECT_ERROR(
          testing::open_checkpoint(bad.index, kData), bad.code, bad.text);
    }
  }
  EXPECT_GE(count, 40u);
}

TEST(TfCheckpointBad, AChangedTensorHasAnotherSum) {
  const auto file = testing::open_checkpoint(good(), "\1" + kData.substr(1));
  EXPECT_ERROR(
      file->tensor(0), kCorrupt, "data: tensor w: CRC is", "is stored");
}

TEST(TfCheckpointBad, BoolsAreZeroOrOne) {
  const std::string two = "\2";
  const auto file = testing::open_checkpoint(
      with_entry(bundle_entry(kBool, {1}, 0, 1, testing::masked(two))), two);
  EXPECT_ERROR(file->tensor(0), kCorrupt, "tensor w: BOOL byte 2");
}

TEST(TfCheckpointBad, EveryCutAndEveryBitOfARealIndexIsNoticed) {
  const std::string index =
      read_file(testing::made_file("bert_model.ckpt.index"), 1 << 20);
  const std::string data = read_file(
      testing::made_file("bert_model.ckpt.data-00000-of-00001"), 1 << 20);
  EXPECT_EQ(testing::open_checkpoint(index, data)->tensors().size(), 32u);
  for (size_t n = 0; n < index.size(); ++n) {
    EXPECT_THROW(testing::open_checkpoint(index.substr(0, n), data), Error);
  }
  // Blocks have sums, the footer a magic; its padding is free.
  for (size_t n = 0; n + 48 < index.size(); ++n) {
    std::string bad = index;
    bad[n] = static_cast<char>(bad[n] ^ 4);
    // The meta index is never read.
    try {
      const auto file = testing::open_checkpoint(bad, data);
      EXPECT_EQ(file->tensors().size(), 32u) << n;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), kCorrupt) << e.what();
    }
  }
}

TEST(TfCheckpointBad, AMissingShardIsNamed) {
  const testing::TempFolder dir;
  write_file(dir / "m.index", one_block({{"", bundle_header(2)}}));
  write_file(dir / "m.data-00000-of-00002", "");
  EXPECT_ERROR(
      TfCheckpoint::open(dir / "m"), Code::kNotFound, "m.data-00001-of-00002");
  EXPECT_ERROR(TfCheckpoint::open(dir / "none"), Code::kNotFound, "none.index");
}

}  // namespace
}  // namespace kexue::io
