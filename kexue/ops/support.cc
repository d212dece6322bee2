#include "kexue/ops/support.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <numeric>

#include "kexue/ir/location.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops::detail {

void refuse(const InferContext& c, const std::string& what) {
  std::vector<std::string> types;
  for (const auto& v : c.inputs) types.push_back(v.type().str());
  throw Error(
      Code::kInvalidArgument,
      fmt::format("{}: {}, got {}", c.op, what, fmt::join(types, " and ")));
}

void want_inputs(const InferContext& c, size_t count) {
  if (c.inputs.size() != count) {
    refuse(c, fmt::format("wants {} inputs", count));
  }
}

void want_float(const InferContext& c, size_t input) {
  if (!is_float(c.type(input).dtype)) refuse(c, "wants a float tensor");
}

void want_inexact(const InferContext& c) {
  if (!is_inexact(c.type(0).dtype))
    refuse(c, "wants a float or complex tensor");
}

void refuse_complex(const InferContext& c) {
  if (is_complex(c.type(0).dtype)) refuse(c, "wants a real tensor");
}

TypeList same_type(const InferContext& c) {
  want_inputs(c, 1);
  return {c.type(0)};
}

TypeList float_unary(const InferContext& c) {
  want_inputs(c, 1);
  want_float(c);
  return {c.type(0)};
}

TypeList inexact_unary(const InferContext& c) {
  want_inputs(c, 1);
  want_inexact(c);
  return {c.type(0)};
}

TypeList same_binary(const InferContext& c) {
  auto types = any_binary(c);
  refuse_complex(c);
  return types;
}

TypeList any_binary(const InferContext& c) {
  want_inputs(c, 2);
  if (c.type(0) != c.type(1)) refuse(c, "wants two tensors of one type");
  return {c.type(0)};
}

int64_t axis_of(int64_t axis, int64_t rank, std::string_view who) {
  try {
    return canonical_axis(axis, rank, std::string(who).c_str());
  } catch (const Error& e) {
    throw ir::located(e);
  }
}

std::vector<int64_t> reduced_axes(const std::vector<int64_t>& axes,
                                  int64_t rank,
                                  std::string_view who) {
  std::vector<int64_t> all = axes;
  if (all.empty()) {
    all.resize(static_cast<size_t>(rank));
    std::iota(all.begin(), all.end(), 0);
  }
  for (int64_t& a : all) a = axis_of(a, rank, who);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

TensorType result_type(const InferContext& c, size_t input) {
  const TensorType& type = c.type(input);
  return c.attrs.has("dtype") ? TensorType{c.attrs.dtype("dtype"), type.shape}
                              : type;
}

DType accumulator(DType dtype) {
  const bool narrow = dtype == DType::kF16 || dtype == DType::kBF16;
  return narrow ? DType::kF32 : dtype;
}

HostArray extreme(DType dtype, bool lowest) {
  const TensorType type{dtype, {}};
  switch (dtype) {
    case DType::kBool:
      return HostArray::full(type, lowest ? 0 : 1);
    case DType::kU8:
      return HostArray::full(type, lowest ? 0 : 255);
    case DType::kU32:
      return HostArray::full(type, lowest ? 0 : 4294967295.0);
    case DType::kI32:
      return HostArray::full(type, lowest ? -2147483648.0 : 2147483647.0);
    case DType::kI64:
      return HostArray::scalar(lowest ? INT64_MIN : INT64_MAX);
    default:
      return HostArray::full(type, lowest ? -INFINITY : INFINITY);
  }
}

Values batch_elementwise(const BatchContext& c) {
  Values in;
  for (size_t i = 0; i < c.x.size(); ++i) {
    auto dims = c.x[i].shape().dims();
    if (!c.batched[i]) dims.insert(dims.begin(), c.size);
    in.push_back(c.batched[i] ? c.x[i] : broadcast_to(c.x[i], Shape(dims)));
  }
  return in[0].graph().add(*c.node.op, in, c.node.attrs).outs();
}

HostArray make_ints(const TensorType& type, const std::vector<int64_t>& v) {
  HostArray a(type);
  std::byte* out = a.mutable_data();
  const size_t width = size_bytes(type.dtype);
  for (size_t i = 0; i < v.size(); ++i) {
    const int64_t x = type.dtype == DType::kBool ? (v[i] != 0 ? 1 : 0) : v[i];
    std::memcpy(out + i * width, &x, width);  // little-endian: the low bytes
  }
  return a;
}

HostArray make_floats(const TensorType& type, const std::vector<double>& v) {
  return HostArray::from_doubles(type, v);
}

std::vector<HostArray> eval_complex(const EvalContext& c, ComplexUnary f) {
  auto v = c.x[0].to_complexes();
  for (Complex& z : v) z = f(z);
  return {HostArray::from_complexes(c.node.types[0], v)};
}

std::vector<HostArray> eval_complex(const EvalContext& c, ComplexBinary f) {
  auto a = c.x[0].to_complexes();
  const auto b = c.x[1].to_complexes();
  for (size_t i = 0; i < a.size(); ++i) a[i] = f(a[i], b[i]);
  return {HostArray::from_complexes(c.node.types[0], a)};
}

void IndexWalk::next() {
  for (size_t i = index_.size(); i-- > 0;) {
    if (++index_[i] < shape_.dims()[i]) return;
    index_[i] = 0;
  }
}

int64_t offset_of(const std::vector<int64_t>& strides,
                  const std::vector<int64_t>& index) {
  int64_t at = 0;
  for (size_t i = 0; i < index.size(); ++i) at += strides[i] * index[i];
  return at;
}

}  // namespace kexue::ops::detail
