#include "kexue/transforms/batch.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/ops/batching.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/transforms/simplify.h"

namespace kexue::transforms {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Code::kInvalidArgument, "batch: " + what)
      .with_scope(Scope::path());
}

// The arguments with the examples as first axis, and their number.
struct Examples {
  ops::Batched args;
  int64_t size = -1;
};

Value with_axis_first(const Value& x, int64_t axis) {
  std::vector<int64_t> perm = {axis};
  for (int64_t a = 0; a < x.rank(); ++a) {
    if (a != axis) perm.push_back(a);
  }
  return axis == 0 ? x : ops::transpose(x, perm);
}

Examples arrange(const Values& x, const std::vector<int64_t>& axes) {
  Examples out;
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t axis = axes.empty() ? 0 : axes[i];
    const bool shared = axis == kShared;
    out.args.batched.push_back(!shared);
    if (shared) {
      out.args.values.push_back(x[i]);
      continue;
    }
    if (axis < 0 || axis >= x[i].rank()) {
      refuse(fmt::format(
          "input {} is {} and has no axis {}", i, x[i].type().str(), axis));
    }
    const int64_t size = x[i].dim(axis);
    if (out.size >= 0 && out.size != size) {
      refuse(fmt::format(
          "input {} has {} examples, inputs before it {}", i, size, out.size));
    }
    out.size = size;
    out.args.values.push_back(with_axis_first(x[i], axis));
  }
  if (out.size < 0) refuse("no input is batched");
  return out;
}

TensorType example_type(const Value& v, bool batched) {
  if (!batched) return v.type();
  const auto& dims = v.shape().dims();
  return {v.dtype(), Shape(std::vector<int64_t>(dims.begin() + 1, dims.end()))};
}

}  // namespace

Map batch(const Map& f, const std::vector<int64_t>& in_axes) {
  return [f, in_axes](const Values& x) {
    if (!in_axes.empty() && in_axes.size() != x.size()) {
      refuse(fmt::format("{} inputs, {} in_axes", x.size(), in_axes.size()));
    }
    if (x.empty()) refuse("no input is batched");
    Examples e = arrange(x, in_axes);
    // f is traced like the body of a loop over the examples.
    Graph& outer = ir::Tracing::innermost(x[0].graph());
    Graph one(&outer);
    Values in;
    for (size_t i = 0; i < x.size(); ++i) {
      in.push_back(one.input(example_type(e.args.values[i], e.args.batched[i]),
                             "example"));
    }
    {
      const ir::Tracing tracing(one);
      one.set_outputs(f(in));
    }
    for (const Value& v : one.captures()) {
      e.args.values.push_back(v);
      e.args.batched.push_back(false);
    }
    one.close();
    ops::Batched out = ops::batch_graph(*simplify(one), e.args, e.size, outer);
    for (size_t i = 0; i < out.values.size(); ++i) {
      if (!out.batched[i]) {
        out.values[i] = ops::repeat(out.values[i], e.size);
      }
    }
    return out.values;
  };
}

Function batch(const Function& f, const std::vector<int64_t>& in_axes) {
  const Map many =
      batch(Map([f](const Values& x) -> Values { return {f(x)}; }), in_axes);
  return [many](const Values& x) { return many(x)[0]; };
}

}  // namespace kexue::transforms
