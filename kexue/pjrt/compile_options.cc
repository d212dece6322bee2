#include "kexue/pjrt/compile_options.h"

#include <fmt/format.h>

#include <protozero/pbf_writer.hpp>

#include "kexue/base/error.h"

namespace kexue::pjrt {
namespace {

// Field numbers of xla.CompileOptionsProto, its ExecutableBuildOptionsProto,
// OptionOverrideProto, and of every protobuf map entry.
constexpr uint32_t kBuildOptions = 3;
constexpr uint32_t kFlags = 7;
constexpr uint32_t kReplicas = 4;
constexpr uint32_t kPartitions = 5;
constexpr uint32_t kUseSpmd = 6;
constexpr uint32_t kUseShardy = 19;
constexpr uint32_t kString = 1;
constexpr uint32_t kBool = 2;
constexpr uint32_t kInt = 3;
constexpr uint32_t kDouble = 4;
constexpr uint32_t kMapKey = 1;
constexpr uint32_t kMapValue = 2;

void write_flag(protozero::pbf_writer& out, const FlagValue& value) {
  if (const auto* b = std::get_if<bool>(&value)) {
    out.add_bool(kBool, *b);
  } else if (const auto* i = std::get_if<int64_t>(&value)) {
    out.add_int64(kInt, *i);
  } else if (const auto* d = std::get_if<double>(&value)) {
    out.add_double(kDouble, *d);
  } else {
    out.add_string(kString, std::get<std::string>(value));
  }
}

}  // namespace

std::string serialize(const CompileOptions& options) {
  if (options.num_replicas < 1 || options.num_partitions < 1) {
    throw Error(Code::kInvalidArgument,
                fmt::format("compile options: {} replicas and {} partitions, "
                            "wanted at least 1 of each",
                            options.num_replicas,
                            options.num_partitions));
  }
  std::string bytes;
  protozero::pbf_writer out(bytes);
  {
    protozero::pbf_writer build(out, kBuildOptions);
    build.add_int64(kReplicas, options.num_replicas);
    build.add_int64(kPartitions, options.num_partitions);
    if (options.use_spmd_partitioning) build.add_bool(kUseSpmd, true);
    if (options.use_shardy_partitioner) build.add_bool(kUseShardy, true);
  }
  for (const auto& [name, value] : options.flags) {
    protozero::pbf_writer entry(out, kFlags);
    entry.add_string(kMapKey, name);
    protozero::pbf_writer flag(entry, kMapValue);
    write_flag(flag, value);
  }
  return bytes;
}

}  // namespace kexue::pjrt
