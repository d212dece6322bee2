#include "kexue/runtime/session.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>

#include "kexue/base/error.h"
#include "kexue/base/hash.h"
#include "kexue/kernels/parallel.h"
#include "kexue/kernels/targets.h"
#include "kexue/pjrt/compile_options.h"
#include "kexue/pjrt/ffi.h"
#include "kexue/stablehlo/emitter.h"
#include "kexue/transforms/narrow.h"
#include "kexue/transforms/simplify.h"
#include "kexue/transforms/unroll.h"

namespace kexue::runtime {
namespace {

// Whether the plugin compiles the smallest program of a type.
bool takes(const pjrt::Client& client, DType dtype) {
  const std::string type = stablehlo::type_text({dtype, {}});
  try {
    client.compile("func.func public @main(%x: " + type + ") -> " + type +
                   " {\n  %y = stablehlo.add %x, %x : " + type +
                   "\n  return %y : " + type + "\n}\n");
    return true;
  } catch (const Error&) {
    return false;
  }
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

size_t count_calls(const std::string& text) {
  size_t n = 0;
  for (size_t at = text.find("stablehlo.custom_call"); at != std::string::npos;
       at = text.find("stablehlo.custom_call", at + 1)) {
    ++n;
  }
  return n;
}

Program::Placements placements(const Values& values,
                               const Mesh& mesh,
                               const std::vector<Sharding>& shardings) {
  Program::Placements out;
  for (size_t i = 0; i < values.size(); ++i) {
    const bool whole = mesh.devices() == 1 || i >= shardings.size();
    out.push_back(std::make_shared<const Placement>(
        Placement{values[i].type(), mesh, whole ? Sharding() : shardings[i]}));
  }
  return out;
}

pjrt::CompileOptions plugin_options(const Platform& platform,
                                    const Mesh& mesh) {
  pjrt::CompileOptions out{.flags = platform.flags};
  if (mesh.devices() > 1) {
    out.num_partitions = static_cast<int64_t>(mesh.devices());
    out.use_spmd_partitioning = true;
    out.use_shardy_partitioner = true;
  }
  return out;
}

pjrt::Client open_client(const pjrt::Plugin& plugin, int64_t device_count) {
  return pjrt::Client::create(plugin, {.cpu_device_count = device_count});
}

}  // namespace

Program::Program(pjrt::Executable executable,
                 Placements inputs,
                 Placements outputs,
                 CompileStats stats)
    : executable_(std::move(executable)),
      inputs_(std::move(inputs)),
      outputs_(std::move(outputs)),
      stats_(std::move(stats)) {
  std::vector<TensorType> types;
  for (const auto& p : inputs_) types.push_back(p->local());
  executable_.expect_parameters(std::move(types));
}

std::vector<DeviceArray> Program::run(
    std::span<const DeviceArray* const> args) const {
  return executable_.execute(args);
}

std::vector<ShardedArray> Program::run_sharded(
    std::span<const ShardedArray* const> args) const {
  const size_t devices = executable_.num_devices();
  if (args.size() != inputs_.size()) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "the program has {} inputs, got {}", inputs_.size(), args.size()));
  }
  std::vector<const DeviceArray*> parts;
  parts.reserve(args.size() * devices);
  for (size_t i = 0; i < args.size(); ++i) {
    const Placement& got = args[i]->placement();
    if (&got != inputs_[i].get() && got != *inputs_[i]) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("argument {} must be {}, got {}",
                              i,
                              inputs_[i]->str(),
                              got.str()));
    }
  }
  for (size_t d = 0; d < devices; ++d) {
    for (const auto* a : args) parts.push_back(&a->shards()[d]);
  }
  auto raw = executable_.execute(parts);
  std::vector<ShardedArray> out;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    std::vector<DeviceArray> shards;
    for (size_t d = 0; d < devices; ++d) {
      shards.push_back(std::move(raw[d * outputs_.size() + i]));
    }
    out.emplace_back(outputs_[i], std::move(shards));
  }
  return out;
}

Session::Session(const SessionOptions& options)
    : options_(options),
      plugin_(pjrt::Plugin::load(pjrt::find_plugin(options.plugin))),
      client_(open_client(plugin_, options.device_count)),
      platform_(platform_for(client_.platform_name(), plugin_.has_ffi())),
      cache_(cache_root() / "executables") {
  if (!options.use_kernels) {
    platform_.kernels.clear();
    platform_.mesh_kernels.clear();
  }
  for (const auto& [name, value] : options.extra_flags) {
    platform_.flags[name] = value;
  }
  kernels::set_threads(options.threads);
  if (!platform_.kernels.empty()) {
    pjrt::register_ffi(plugin_, kernels::ffi_targets());
    pjrt::register_ffi(plugin_, options.kernels);
    for (const auto& target : options.kernels) {
      platform_.kernels.emplace_back(target.name);
    }
  }
  const std::string flags = pjrt::serialize({.flags = platform_.flags});
  // Kernels are found by name when a program is loaded, so their code is not
  // part of the key; their names and attributes stand in the program.
  environment_ =
      fmt::format("{}|{}|{}|{}",
                  plugin_.fingerprint(cache_root() / "plugin-hashes"),
                  hash128(flags),
                  fmt::join(cpu_features(), ","),
                  options.device_count);
}

transforms::Precision Session::precision(const CompileOptions& options) const {
  return {.compute = options.compute,
          .low_glue = options.low_glue.value_or(
              platform_.low_glue || options.compute == DType::kF16)};
}

std::unique_ptr<ir::Graph> Session::rewrite(
    const ir::Graph& graph, const CompileOptions& options) const {
  auto g = transforms::simplify(graph);
  const int64_t turns = options.unroll.value_or(platform_.unroll);
  if (turns > 0) g = transforms::unroll(*g, turns);
  g = transforms::apply_precision(*g, precision(options));
  g = transforms::simplify(*g);
  g = transforms::expand_fused(*g, kernels_for(options));
  g = transforms::simplify(*g);
  g = transforms::narrow_results(*g, kernels_for(options));
  return transforms::simplify(*g);
}

const std::vector<std::string>& Session::kernels_for(
    const CompileOptions& options) const {
  return options.mesh.devices() > 1 ? platform_.mesh_kernels
                                    : platform_.kernels;
}

std::string Session::emit(const ir::Graph& graph,
                          const CompileOptions& options,
                          CompileStats* stats) const {
  const auto g = rewrite(graph, options);
  const std::string text =
      stablehlo::to_module(*g,
                           {.alias = options.alias,
                            .kernels = kernels_for(options),
                            .mixed_products = platform_.mixed_products,
                            .mesh = options.mesh,
                            .in = options.in,
                            .out = options.out});
  if (stats != nullptr) {
    stats->nodes = g->nodes().size();
    stats->kernel_calls = count_calls(text);
  }
  return text;
}

Program Session::compile(const ir::Graph& graph,
                         const CompileOptions& options) const {
  require_devices(client_, options.mesh);
  CompileStats stats;
  auto start = Clock::now();
  const std::string text = emit(graph, options, &stats);
  stats.transform_s = seconds_since(start);
  stats.key = hash128(environment_ + text);
  start = Clock::now();
  auto in = placements(graph.inputs(), options.mesh, options.in);
  auto out = placements(graph.outputs(), options.mesh, options.out);
  if (options_.use_cache) {
    if (const auto bytes = cache_.load(stats.key)) {
      try {
        auto loaded = client_.deserialize(*bytes);
        stats.compile_s = seconds_since(start);
        stats.from_cache = true;
        return {std::move(loaded), std::move(in), std::move(out), stats};
      } catch (const Error&) {
        cache_.remove(stats.key);  // written by a plugin that looked the same
      }
    }
  }
  auto made = [&] {
    try {
      return client_.compile(text, plugin_options(platform_, options.mesh));
    } catch (const Error& e) {
      if (takes(client_, options.compute)) throw;
      throw Error(Code::kUnsupported,
                  fmt::format("{}: this plugin compiles no {}: {}",
                              options_.plugin.empty() ? platform_.name
                                                      : options_.plugin,
                              name(options.compute),
                              e.text()),
                  "precision f32 runs everywhere");
    }
  }();
  stats.compile_s = seconds_since(start);
  if (options_.use_cache && cache_.enabled()) {
    cache_.store(stats.key, made.serialize());
  }
  return {std::move(made), std::move(in), std::move(out), stats};
}

DeviceArray Session::to_device(const HostArray& array) const {
  return client_.to_device(array);
}

ShardedArray Session::to_devices(const HostArray& array,
                                 const Mesh& mesh,
                                 const Sharding& sharding) const {
  return ShardedArray::upload(client_,
                              array,
                              std::make_shared<const Placement>(
                                  Placement{array.type(), mesh, sharding}));
}

std::vector<HostArray> Session::run(const Program& program,
                                    std::span<const HostArray> args) const {
  std::vector<ShardedArray> buffers;
  for (size_t i = 0; i < args.size(); ++i) {
    const bool known = i < program.inputs().size() &&
                       program.inputs()[i]->type == args[i].type();
    buffers.push_back(
        known ? ShardedArray::upload(client_, args[i], program.inputs()[i])
              : to_devices(args[i], Mesh()));
  }
  std::vector<const ShardedArray*> pointers;
  for (const auto& b : buffers) pointers.push_back(&b);
  std::vector<HostArray> out;
  for (const auto& b : program.run_sharded(pointers))
    out.push_back(b.to_host());
  return out;
}

}  // namespace kexue::runtime
