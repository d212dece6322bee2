#include "kexue/pjrt/compile_options.h"

#include "tests/support/error_matchers.h"

namespace kexue::pjrt {
namespace {

TEST(CompileOptions, DefaultIsOneReplicaAndOnePartition) {
  EXPECT_EQ(serialize({}), std::string("\x1a\x04\x20\x01\x28\x01"));
}

TEST(CompileOptions, SpmdAndShardyAreFields6And19) {
  EXPECT_EQ(serialize({.num_partitions = 4,
                       .use_spmd_partitioning = true,
                       .use_shardy_partitioner = true}),
            std::string("\x1a\x09\x20\x01\x28\x04\x30\x01\x98\x01\x01"));
}

TEST(CompileOptions, FlagsAreAMapOfTypedValues) {
  const std::string base = serialize({});
  CompileOptions o;
  o.flags = {{"b", true}};
  // Entry: key "b" (field 1), value message (field 2) with bool_field 2.
  EXPECT_EQ(serialize(o), base + "\x3a\x07\x0a\x01\x62\x12\x02\x10\x01");
  o.flags = {{"s", "xy"}};
  EXPECT_EQ(serialize(o), base + "\x3a\x09\x0a\x01\x73\x12\x04\x0a\x02xy");
  o.flags = {{"i", int64_t{5}}};
  EXPECT_EQ(serialize(o), base + "\x3a\x07\x0a\x01\x69\x12\x02\x18\x05");
  o.flags = {{"d", 2.0}};
  EXPECT_EQ(serialize(o),
            base + std::string("\x3a\x0e\x0a\x01\x64\x12\x09\x21"
                               "\0\0\0\0\0\0\0\x40",
                               16));
}

TEST(CompileOptions, ZeroReplicasIsRefused) {
  EXPECT_ERROR(serialize({.num_replicas = 0}),
               Code::kInvalidArgument,
               "0 replicas",
               "at least 1");
}

}  // namespace
}  // namespace kexue::pjrt
