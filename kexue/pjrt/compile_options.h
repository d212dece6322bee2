// What a program is compiled for, and the flags of its compiler.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

namespace kexue::pjrt {

using FlagValue = std::variant<bool, int64_t, double, std::string>;

struct CompileOptions {
  int64_t num_replicas = 1;    // copies that run the same program
  int64_t num_partitions = 1;  // devices that one copy is split over
  // One program for all partitions, split by the sharding annotations.
  bool use_spmd_partitioning = false;
  // The annotations are Shardy's (sdy.mesh, sdy.sharding).
  bool use_shardy_partitioner = false;
  // XLA's debug options by name without dashes, for this program only, e.g.
  // {"xla_cpu_use_onednn", true}. An enum is given by name, as a string. An
  // unknown name is an error of Client::compile.
  std::map<std::string, FlagValue> flags = {};
};

// The bytes of an xla.CompileOptionsProto; equal options give equal bytes.
// Errors: kInvalidArgument if a count is < 1.
std::string serialize(const CompileOptions& options);

}  // namespace kexue::pjrt
