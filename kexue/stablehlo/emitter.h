// Writes StableHLO text in the generic op form: it knows syntax, no op.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/base/sharding.h"
#include "kexue/ir/graph.h"

namespace kexue::stablehlo {

// "tensor<8x128xf32>"; bool is i1, u8 is ui8, c64 and c128 are complex<...>.
std::string type_text(const TensorType& type);
// "array<i64: 1, 2>"
std::string int_array(std::span<const int64_t> values);
// "dense<...> : tensor<...>", floats as hexadecimal bits: no digit is lost.
std::string dense(const HostArray& array);

// One SSA name of the text with its type.
struct Ssa {
  std::string name;
  TensorType type;
};

// Collects the text of one module body. Ops call emit(); results get fresh
// names, unique over all regions.
class Emitter final {
 public:
  Emitter() = default;
  // `kernels`: custom-call targets that the platform registers.
  // `mixed_products`, `mesh`: see ModuleOptions.
  explicit Emitter(std::vector<std::string> kernels,
                   bool mixed_products = true,
                   Mesh mesh = {})
      : kernels_(std::move(kernels)),
        mixed_products_(mixed_products),
        mesh_(std::move(mesh)) {}

  // True if `target` is not empty and registered on this platform.
  bool use_kernel(std::string_view target) const;
  bool mixed_products() const { return mixed_products_; }
  // False if the program runs on one device: shardings have no text then.
  bool has_mesh() const { return mesh_.devices() > 1; }
  // "#sdy.sharding<@mesh, [{"data"}, {}]>". Errors: as Sharding::check.
  std::string sharding_text(const Sharding& sharding, const Shape& shape) const;

  // Adds `"name"(operands) {attrs} : types` with optional region texts.
  std::vector<Ssa> emit(std::string_view name,
                        const std::vector<Ssa>& operands,
                        const std::vector<TensorType>& results,
                        std::string_view attrs = "",
                        const std::vector<std::string>& regions = {});
  // The common case: operands and results of `node`, bound to its outputs.
  void emit(const ir::Node& node,
            std::string_view name,
            std::string_view attrs = "",
            const std::vector<std::string>& regions = {});
  // A custom call of a node: target and attributes (FFI dictionary). Its first
  // `in_place` results take the memory of the operands of the same position.
  void custom_call(const ir::Node& node,
                   std::string_view target,
                   std::string_view ffi_attrs,
                   int in_place = 0);

  Ssa constant(const HostArray& value);

  // Text of the value that stands for v.
  Ssa get(const ir::Value& v) const;
  std::vector<Ssa> get(const ir::Values& values) const;
  void bind(const ir::Value& v, Ssa ssa);

  // Writes all nodes of `graph` here, its inputs standing for `args`.
  std::vector<Ssa> inline_graph(const ir::Graph& graph,
                                const std::vector<Ssa>& args);

  // Regions: text between begin and end goes into the region. begin returns
  // the block's arguments; end writes the terminator and returns the text.
  std::vector<Ssa> begin_region(const std::vector<TensorType>& args);
  std::string end_region(const std::vector<Ssa>& results,
                         std::string_view terminator = "stablehlo.return");

  // Text written so far outside any region.
  std::string take_text();

 private:
  std::string fresh();
  void lower(const ir::Node& node);

  std::vector<std::string> kernels_;
  bool mixed_products_ = true;
  Mesh mesh_;
  std::vector<std::string> buffers_ = {""};
  std::vector<std::string> heads_;
  std::unordered_map<ir::Value, Ssa, ir::ValueHash> bound_;
  int64_t next_ = 0;
};

struct ModuleOptions {
  // alias[k] = i: input k may be overwritten by output i (donation); -1: no.
  std::vector<int64_t> alias = {};
  std::string name = "kexue";
  // Custom-call targets that may be used, by name.
  std::vector<std::string> kernels = {};
  // Whether the compiler takes products of 16-bit values with f32 results. If
  // not, ops convert the inputs first: the same numbers.
  bool mixed_products = true;
  // Devices that the program is split over; with more than one, inputs and
  // outputs lie as told here (replicated where a list is shorter).
  Mesh mesh = {};
  std::vector<Sharding> in = {};
  std::vector<Sharding> out = {};
};

// The whole graph as a module with one function, @main.
// Errors: kInvalidArgument naming the input or output for a sharding that does
//         not fit, and for a donated input that lies otherwise than its output.
std::string to_module(const ir::Graph& graph,
                      const ModuleOptions& options = {});

}  // namespace kexue::stablehlo
