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
#include "kexue/transforms/simplify.h"
#include "kexue/transforms/unroll.h"

namespace kexue::runtime {
namespace {

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

pjrt::Client open_client(const pjrt::Plugin& plugin, int64_t device_count) {
  return pjrt::Client::create(plugin, {.cpu_device_count = device_count});
}

}  // namespace

Program::Program(pjrt::Executable executable,
                 std::vector<TensorType> inputs,
                 CompileStats stats)
    : executable_(std::move(executable)),
      inputs_(std::move(inputs)),
      stats_(std::move(stats)) {
  executable_.expect_parameters(inputs_);
}

std::vector<DeviceArray> Program::run(
    std::span<const DeviceArray* const> args) const {
  return executable_.execute(args);
}

Session::Session(const SessionOptions& options)
    : options_(options),
      plugin_(pjrt::Plugin::load(pjrt::find_plugin(options.plugin))),
      client_(open_client(plugin_, options.device_count)),
      platform_(platform_for(client_.platform_name(), plugin_.has_ffi())),
      cache_(cache_root() / "executables") {
  if (!options.use_kernels) platform_.kernels.clear();
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
  g = transforms::expand_fused(*g, platform_.kernels);
  return transforms::simplify(*g);
}

std::string Session::emit(const ir::Graph& graph,
                          const CompileOptions& options,
                          CompileStats* stats) const {
  const auto g = rewrite(graph, options);
  const std::string text =
      stablehlo::to_module(*g,
                           {.alias = options.alias,
                            .kernels = platform_.kernels,
                            .mixed_products = platform_.mixed_products});
  if (stats != nullptr) {
    stats->nodes = g->nodes().size();
    stats->kernel_calls = count_calls(text);
  }
  return text;
}

Program Session::compile(const ir::Graph& graph,
                         const CompileOptions& options) const {
  CompileStats stats;
  auto start = Clock::now();
  const std::string text = emit(graph, options, &stats);
  stats.transform_s = seconds_since(start);
  stats.key = hash128(environment_ + text);
  start = Clock::now();
  std::vector<TensorType> inputs;
  for (const Value& v : graph.inputs()) inputs.push_back(v.type());
  if (options_.use_cache) {
    if (const auto bytes = cache_.load(stats.key)) {
      try {
        auto loaded = client_.deserialize(*bytes);
        stats.compile_s = seconds_since(start);
        stats.from_cache = true;
        return {std::move(loaded), std::move(inputs), stats};
      } catch (const Error&) {
        cache_.remove(stats.key);  // written by a plugin that looked the same
      }
    }
  }
  auto made = client_.compile(text, {.flags = platform_.flags});
  stats.compile_s = seconds_since(start);
  if (options_.use_cache && cache_.enabled()) {
    cache_.store(stats.key, made.serialize());
  }
  return {std::move(made), std::move(inputs), stats};
}

DeviceArray Session::to_device(const HostArray& array) const {
  return client_.to_device(array);
}

std::vector<HostArray> Session::run(const Program& program,
                                    std::span<const HostArray> args) const {
  std::vector<DeviceArray> buffers;
  for (const auto& a : args) buffers.push_back(to_device(a));
  std::vector<const DeviceArray*> pointers;
  for (const auto& b : buffers) pointers.push_back(&b);
  std::vector<HostArray> out;
  for (const auto& b : program.run(pointers)) out.push_back(b.to_host());
  return out;
}

}  // namespace kexue::runtime
