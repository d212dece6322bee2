// Plugin, devices, cache and the pipeline from a graph to a running program.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/ir/graph.h"
#include "kexue/pjrt/buffer.h"
#include "kexue/pjrt/client.h"
#include "kexue/pjrt/executable.h"
#include "kexue/pjrt/ffi.h"
#include "kexue/runtime/cache.h"
#include "kexue/runtime/platform.h"
#include "kexue/runtime/sharded_array.h"
#include "kexue/transforms/precision.h"

namespace kexue::runtime {

struct SessionOptions {
  std::string plugin = {};   // path; "" = search (see pjrt::find_plugin)
  int64_t device_count = 1;  // devices of a CPU plugin; 0 = its own choice
  int threads = 0;           // of our kernels; 0 = all cores
  bool use_cache = true;
  bool use_kernels = true;  // false: compositions only
  // Overrides of the platform's row, for measurements.
  std::map<std::string, pjrt::FlagValue> extra_flags = {};
  // Kernels for ops of your own (docs/extending.md). Where ours do not run,
  // these do not either, and the ops run as compositions.
  std::vector<pjrt::FfiTarget> kernels = {};
};

// How fast a user wants a graph to become a program.
struct CompileOptions {
  // "f32", "bf16", "f16"; how far 16 bits go is the platform's row.
  DType compute = DType::kF32;
  std::optional<bool> low_glue = {};   // instead of the platform's
  std::optional<int64_t> unroll = {};  // instead of the platform's
  // alias[k] = i: input k is donated to output i; -1 or missing: kept.
  std::vector<int64_t> alias = {};
  // The devices to split the program over, and how inputs and outputs lie on
  // them; where a list is shorter, replicated. Fused ops run as compositions
  // there: see docs/sharding.md.
  Mesh mesh = {};
  std::vector<Sharding> in = {};
  std::vector<Sharding> out = {};
};

struct CompileStats {
  double transform_s = 0;  // rewrites and text
  double compile_s = 0;    // the plugin's work, or loading from the cache
  bool from_cache = false;
  size_t nodes = 0;  // of the rewritten graph
  size_t kernel_calls = 0;
  std::string key;
};

// A compiled graph. Inputs and outputs are those of the graph, in order.
class Program final {
 public:
  using Placements = std::vector<std::shared_ptr<const Placement>>;
  Program(pjrt::Executable executable,
          Placements inputs,
          Placements outputs,
          CompileStats stats);

  // For programs on one device. Donated arguments read as deleted afterwards.
  // Errors: kInvalidArgument naming the argument and both types; kDevice.
  std::vector<DeviceArray> run(std::span<const DeviceArray* const> args) const;
  // For programs on any number of devices.
  // Errors: as above; kInvalidArgument naming the argument and both placements.
  std::vector<ShardedArray> run_sharded(
      std::span<const ShardedArray* const> args) const;

  const Placements& inputs() const { return inputs_; }
  const Placements& outputs() const { return outputs_; }
  const CompileStats& stats() const { return stats_; }
  pjrt::ProgramMemory memory() const { return executable_.memory(); }

 private:
  pjrt::Executable executable_;
  Placements inputs_;
  Placements outputs_;
  CompileStats stats_;
};

// Opening costs some tenths of a second: one session serves a process.
class Session final {
 public:
  // Errors: kNotFound (no plugin), kUnsupported (its API), kDevice.
  explicit Session(const SessionOptions& options = {});

  const pjrt::Client& client() const { return client_; }
  const Platform& platform() const { return platform_; }
  const ExecutableCache& cache() const { return cache_; }
  const SessionOptions& options() const { return options_; }

  // The policy that a name stands for on this platform.
  transforms::Precision precision(const CompileOptions& options) const;

  // unroll -> precision -> kernels or compositions -> simplify.
  std::unique_ptr<ir::Graph> rewrite(const ir::Graph& graph,
                                     const CompileOptions& options) const;
  // rewrite, then StableHLO text.
  std::string emit(const ir::Graph& graph,
                   const CompileOptions& options,
                   CompileStats* stats = nullptr) const;
  // emit, then the cache or the plugin's compiler.
  // Errors: kInvalidArgument if the mesh has more devices than the plugin, and
  //         as stablehlo::to_module for its shardings; kDevice.
  Program compile(const ir::Graph& graph,
                  const CompileOptions& options = {}) const;

  DeviceArray to_device(const HostArray& array) const;
  // Errors: as ShardedArray::upload.
  ShardedArray to_devices(const HostArray& array,
                          const Mesh& mesh,
                          const Sharding& sharding = {}) const;
  // Uploads, runs, downloads: for tests and small things.
  std::vector<HostArray> run(const Program& program,
                             std::span<const HostArray> args) const;

 private:
  const std::vector<std::string>& kernels_for(
      const CompileOptions& options) const;

  SessionOptions options_;
  pjrt::Plugin plugin_;
  pjrt::Client client_;
  Platform platform_;
  ExecutableCache cache_;
  std::string environment_;  // everything but the program that a key names
};

}  // namespace kexue::runtime
