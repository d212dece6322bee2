#include "kexue/ir/clone.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/remat.h"
#include "kexue/ops/scan_vjp.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {
namespace {

// stack[t], looking through a stack that was joined from its parts.
Value leading(const Value& stack, int64_t t) {
  auto dims = stack.shape().dims();
  dims.erase(dims.begin());
  const Node& made = *stack.node();
  if (made.op == &kConcatenate && made.attrs.i("axis") == 0 &&
      static_cast<int64_t>(made.inputs.size()) == stack.dim(0)) {
    const Value part = made.inputs[static_cast<size_t>(t)];
    if (part.node()->op == &kReshape && part.dim(0) == 1) {
      const Value one = part.node()->inputs[0];
      if (one.shape().dims() == dims) return one;
    }
  }
  return reshape(slice_axis(stack, 0, t, t + 1), dims);
}

Value with_leading_one(const Value& x) {
  auto dims = x.shape().dims();
  dims.insert(dims.begin(), 1);
  return reshape(x, dims);
}

}  // namespace

Values unroll_scan(const Node& n, const Values& inputs, int64_t max_length) {
  const auto carry = static_cast<size_t>(n.attrs.i("num_carry"));
  const auto xs = static_cast<size_t>(n.attrs.i("num_xs"));
  const int64_t length = n.attrs.i("length");
  if (length > max_length || length == 0) return {};
  const Graph& body = *n.regions[0];
  const size_t num_ys = body.outputs().size() - carry;
  std::vector<Values> parts(num_ys, Values(static_cast<size_t>(length)));
  Values args = inputs;
  Graph& into = inputs[0].graph();
  for (int64_t step = 0; step < length; ++step) {
    const int64_t t = n.attrs.i("reverse") != 0 ? length - 1 - step : step;
    for (size_t k = carry; k < carry + xs; ++k) {
      args[k] = leading(inputs[k], t);
    }
    // Without a barrier, what this turn computes again would be merged with
    // the forward pass, which stands in the same graph now.
    const bool again = n.attrs.i("recompute") != 0;
    const Values out =
        ir::inline_graph(body, again ? optimization_barrier(args) : args, into);
    for (size_t k = 0; k < carry; ++k) args[k] = out[k];
    for (size_t k = 0; k < num_ys; ++k) {
      parts[k][static_cast<size_t>(t)] = with_leading_one(out[carry + k]);
    }
  }
  Values result(args.begin(), args.begin() + static_cast<long>(carry));
  for (const Values& p : parts) result.push_back(concatenate(p, 0));
  return result;
}

}  // namespace kexue::ops
