#include "kexue/stablehlo/emitter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "kexue/base/error.h"
#include "kexue/ir/location.h"

namespace kexue::stablehlo {
namespace {

std::string_view element(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return "i1";
    case DType::kU8:
      return "ui8";
    case DType::kU32:
      return "ui32";
    case DType::kC64:
      return "complex<f32>";
    case DType::kC128:
      return "complex<f64>";
    default:
      return name(dtype);
  }
}

// One element: integers in decimal, floats as their bits.
std::string literal(const HostArray& a, int64_t i) {
  const size_t width = size_bytes(a.dtype());
  const std::byte* p = a.data() + static_cast<size_t>(i) * width;
  switch (a.dtype()) {
    case DType::kBool:
      return a.at(i) != 0 ? "true" : "false";
    case DType::kI64: {
      int64_t x = 0;
      std::memcpy(&x, p, sizeof x);
      return fmt::format("{}", x);
    }
    case DType::kU8:
    case DType::kI32:
    case DType::kU32:
      return fmt::format("{}", static_cast<int64_t>(a.at(i)));
    case DType::kC64:
    case DType::kC128: {
      uint64_t re = 0;
      uint64_t im = 0;
      std::memcpy(&re, p, width / 2);
      std::memcpy(&im, p + width / 2, width / 2);
      return fmt::format("(0x{:0{}X}, 0x{:0{}X})", re, width, im, width);
    }
    default: {
      uint64_t bits = 0;
      std::memcpy(&bits, p, width);
      return fmt::format("0x{:0{}X}", bits, width * 2);
    }
  }
}

// Nested lists, as MLIR wants them: [[a, b], [c, d]].
void nested(const HostArray& a, int64_t axis, int64_t& at, std::string& out) {
  if (axis == a.shape().rank()) {
    out += literal(a, at++);
    return;
  }
  out += '[';
  for (int64_t i = 0; i < a.shape()[axis]; ++i) {
    if (i != 0) out += ", ";
    nested(a, axis + 1, at, out);
  }
  out += ']';
}

std::string names(const std::vector<Ssa>& list) {
  std::vector<std::string_view> parts;
  for (const Ssa& s : list) parts.push_back(s.name);
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string types(const std::vector<TensorType>& list) {
  std::vector<std::string> parts;
  for (const auto& t : list) parts.push_back(type_text(t));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<TensorType> types_of(const std::vector<Ssa>& list) {
  std::vector<TensorType> out;
  for (const Ssa& s : list) out.push_back(s.type);
  return out;
}

}  // namespace

std::string type_text(const TensorType& type) {
  std::string out = "tensor<";
  for (const int64_t d : type.shape) out += fmt::format("{}x", d);
  out += element(type.dtype);
  out += '>';
  return out;
}

std::string int_array(std::span<const int64_t> values) {
  if (values.empty()) return "array<i64>";
  return fmt::format("array<i64: {}>", fmt::join(values, ", "));
}

std::string dense(const HostArray& array) {
  std::string body;
  if (array.size() != 0) {
    int64_t at = 0;
    nested(array, 0, at, body);
  }
  return fmt::format("dense<{}> : {}", body, type_text(array.type()));
}

std::string Emitter::fresh() {
  return fmt::format("%v{}", next_++);
}

bool Emitter::use_kernel(std::string_view target) const {
  return !target.empty() &&
         std::find(kernels_.begin(), kernels_.end(), target) != kernels_.end();
}

std::vector<Ssa> Emitter::emit(std::string_view name,
                               const std::vector<Ssa>& operands,
                               const std::vector<TensorType>& results,
                               std::string_view attrs,
                               const std::vector<std::string>& regions) {
  std::vector<Ssa> out;
  std::string head;
  if (!results.empty()) {
    const std::string base = fresh();
    for (size_t i = 0; i < results.size(); ++i) {
      const bool many = results.size() > 1;
      out.push_back({many ? fmt::format("{}#{}", base, i) : base, results[i]});
    }
    head = results.size() > 1 ? fmt::format("{}:{} = ", base, results.size())
                              : base + " = ";
  }
  std::string region_text;
  if (!regions.empty()) {
    region_text = fmt::format(" ({})", fmt::join(regions, ", "));
  }
  buffers_.back() +=
      fmt::format("{}\"{}\"({}){}{} : ({}) -> ({})\n",
                  head,
                  name,
                  names(operands),
                  region_text,
                  attrs.empty() ? "" : fmt::format(" {{{}}}", attrs),
                  types(types_of(operands)),
                  types(results));
  return out;
}

void Emitter::emit(const ir::Node& node,
                   std::string_view name,
                   std::string_view attrs,
                   const std::vector<std::string>& regions) {
  const auto out = emit(name, get(node.inputs), node.types, attrs, regions);
  for (size_t i = 0; i < out.size(); ++i) {
    bind({const_cast<ir::Node*>(&node), static_cast<int>(i)}, out[i]);
  }
}

void Emitter::custom_call(const ir::Node& node,
                          std::string_view target,
                          std::string_view ffi_attrs,
                          int in_place) {
  std::string attrs = fmt::format(
      "call_target_name = \"{}\", api_version = 4 : i32, "
      "backend_config = {{{}}}",
      target,
      ffi_attrs);
  for (int i = 0; i < in_place; ++i) {
    attrs += fmt::format(
        "{}#stablehlo.output_operand_alias<output_tuple_indices = [{}], "
        "operand_index = {}, operand_tuple_indices = []>{}",
        i == 0 ? ", output_operand_aliases = [" : ", ",
        node.types.size() == 1 ? "" : std::to_string(i),
        i,
        i + 1 == in_place ? "]" : "");
  }
  emit(node, "stablehlo.custom_call", attrs);
}

Ssa Emitter::constant(const HostArray& value) {
  return emit(
      "stablehlo.constant", {}, {value.type()}, "value = " + dense(value))[0];
}

Ssa Emitter::get(const ir::Value& v) const {
  const auto found = bound_.find(v);
  if (found == bound_.end()) {
    throw Error(Code::kInternal,
                fmt::format("emitter: {} has no text yet", v.node()->op->name));
  }
  return found->second;
}

std::vector<Ssa> Emitter::get(const ir::Values& values) const {
  std::vector<Ssa> out;
  for (const auto& v : values) out.push_back(get(v));
  return out;
}

void Emitter::bind(const ir::Value& v, Ssa ssa) {
  bound_[v] = std::move(ssa);
}

std::string Emitter::sharding_text(const Sharding& sharding,
                                   const Shape& shape) const {
  sharding.check(mesh_, shape);
  std::vector<std::string> dims;
  for (int64_t d = 0; d < shape.rank(); ++d) {
    std::vector<std::string> quoted;
    for (const auto& axis : sharding.axes(d)) {
      quoted.push_back(fmt::format("\"{}\"", axis));
    }
    dims.push_back(fmt::format("{{{}}}", fmt::join(quoted, ", ")));
  }
  return fmt::format("#sdy.sharding<@mesh, [{}]>", fmt::join(dims, ", "));
}

void Emitter::lower(const ir::Node& node) {
  try {
    node.op->lower(*this, node);
  } catch (const Error& e) {
    throw e.with_scope(node.scope).with_line(ir::to_string(node.where));
  }
}

std::vector<Ssa> Emitter::inline_graph(const ir::Graph& graph,
                                       const std::vector<Ssa>& args) {
  for (size_t i = 0; i < args.size(); ++i) bind(graph.inputs()[i], args[i]);
  for (const auto& node : graph.nodes()) {
    if (ir::is_input(*node)) continue;
    if (node->op->lower == nullptr) {
      throw Error(Code::kInternal,
                  fmt::format("{}: no lowering (a fused op must be expanded "
                              "first)",
                              node->op->name))
          .with_scope(node->scope);
    }
    lower(*node);
  }
  return get(graph.outputs());
}

std::vector<Ssa> Emitter::begin_region(const std::vector<TensorType>& args) {
  std::vector<Ssa> out;
  std::string head = "{\n^bb0(";
  for (size_t i = 0; i < args.size(); ++i) {
    out.push_back({fresh(), args[i]});
    head += fmt::format(
        "{}{}: {}", i == 0 ? "" : ", ", out.back().name, type_text(args[i]));
  }
  heads_.push_back(args.empty() ? "{\n" : head + "):\n");
  buffers_.emplace_back();
  return out;
}

std::string Emitter::end_region(const std::vector<Ssa>& results,
                                std::string_view terminator) {
  emit(terminator, results, {});
  const std::string text = heads_.back() + buffers_.back() + "}";
  heads_.pop_back();
  buffers_.pop_back();
  return text;
}

std::string Emitter::take_text() {
  return std::move(buffers_.front());
}

namespace {

const Sharding& at(const std::vector<Sharding>& list, size_t i) {
  static const Sharding replicated;
  return i < list.size() ? list[i] : replicated;
}

// The attribute of input or output i, or "" on one device.
std::string placed(const Emitter& e,
                   const char* what,
                   size_t i,
                   const std::vector<Sharding>& list,
                   const TensorType& type) {
  if (!e.has_mesh()) return "";
  try {
    return "sdy.sharding = " + e.sharding_text(at(list, i), type.shape);
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("{} {}: {}", what, i, error.text()),
                error.hint());
  }
}

std::string argument_attrs(const Emitter& e,
                           const std::vector<TensorType>& in,
                           const ModuleOptions& o) {
  std::vector<std::string> all;
  for (size_t k = 0; k < in.size(); ++k) {
    std::vector<std::string> parts;
    if (k < o.alias.size() && o.alias[k] >= 0) {
      const auto to = static_cast<size_t>(o.alias[k]);
      if (e.has_mesh() && !(at(o.in, k) == at(o.out, to))) {
        throw Error(Code::kInvalidArgument,
                    fmt::format("input {} lies as {} and cannot become output "
                                "{}, which lies as {}",
                                k,
                                at(o.in, k).str(),
                                to,
                                at(o.out, to).str()));
      }
      parts.push_back(fmt::format("tf.aliasing_output = {} : i32", to));
    }
    const std::string sharding = placed(e, "input", k, o.in, in[k]);
    if (!sharding.empty()) parts.push_back(sharding);
    all.push_back(fmt::format("{{{}}}", fmt::join(parts, ", ")));
  }
  return fmt::format("{}", fmt::join(all, ", "));
}

std::string result_attrs(const Emitter& e,
                         const std::vector<TensorType>& out,
                         const ModuleOptions& o) {
  std::vector<std::string> all;
  for (size_t k = 0; k < out.size(); ++k) {
    all.push_back(fmt::format("{{{}}}", placed(e, "output", k, o.out, out[k])));
  }
  return fmt::format("{}", fmt::join(all, ", "));
}

std::string mesh_op(const Mesh& mesh) {
  std::vector<std::string> axes;
  for (const auto& a : mesh.axes()) {
    axes.push_back(fmt::format("\"{}\"={}", a.name, a.size));
  }
  return fmt::format(
      "\"sdy.mesh\"() {{mesh = #sdy.mesh<[{}]>, sym_name = \"mesh\"}} : () -> "
      "()\n",
      fmt::join(axes, ", "));
}

}  // namespace

std::string to_module(const ir::Graph& graph, const ModuleOptions& options) {
  Emitter e(options.kernels, options.mixed_products, options.mesh);
  std::vector<TensorType> in;
  for (const auto& v : graph.inputs()) in.push_back(v.type());
  const auto args = e.begin_region(in);
  const auto results = e.inline_graph(graph, args);
  const std::string body = e.end_region(results, "func.return");
  const auto out = types_of(results);
  std::string attrs =
      fmt::format("sym_name = \"main\", function_type = ({}) -> ({})",
                  types(in),
                  types(out));
  if (!in.empty()) {
    attrs += fmt::format(", arg_attrs = [{}]", argument_attrs(e, in, options));
  }
  std::string mesh;
  std::string module_attrs = fmt::format("sym_name = \"{}\"", options.name);
  if (e.has_mesh()) {
    mesh = mesh_op(options.mesh);
    attrs += fmt::format(", res_attrs = [{}]", result_attrs(e, out, options));
    module_attrs += fmt::format(
        ", mhlo.num_partitions = {} : i32, mhlo.num_replicas = 1 : i32",
        options.mesh.devices());
  }
  return fmt::format(
      "\"builtin.module\"() ({{\n{}\"func.func\"() ({}) {{{}}} : () -> "
      "()\n}}) {{{}}} : () -> ()\n",
      mesh,
      body,
      attrs,
      module_attrs);
}

}  // namespace kexue::stablehlo
