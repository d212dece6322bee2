// A convolution for many examples at once is one convolution: the new axis
// goes into the batch, into the output channels, or makes groups.
#include "kexue/ops/conv_spec.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops::detail {
namespace {

using Dims = std::vector<int64_t>;

// The leading axis of x goes into axis `to` (counted without it), behind the
// axis's groups: (groups, rest) becomes (groups, size, rest).
Value fold(const Value& x, int64_t to, int64_t groups) {
  const int64_t size = x.dim(0);
  Dims split = x.shape().dims();
  split.erase(split.begin());
  Dims joined = split;
  joined[static_cast<size_t>(to)] *= size;
  split[static_cast<size_t>(to)] /= groups;
  split.insert(split.begin() + to, groups);
  split.insert(split.begin(), size);
  // Axes: 0 the size, then those of x, `to` being the pair to + 1, to + 2.
  Dims perm;
  for (int64_t a = 1; a < static_cast<int64_t>(split.size()); ++a) {
    perm.push_back(a);
    if (a == to + 1) perm.push_back(0);
  }
  return reshape(transpose(reshape(x, split), perm), joined);
}

// The reverse, for a result that is `one` for one example.
Value unfold(const Value& y,
             const Shape& one,
             int64_t from,
             int64_t size,
             int64_t groups) {
  Dims joined = one.dims();
  joined.insert(joined.begin(), size);
  Dims split = one.dims();
  split[static_cast<size_t>(from)] /= groups;
  split.insert(split.begin() + from, {groups, size});
  Dims perm = {from + 1};
  for (int64_t a = 0; a < static_cast<int64_t>(split.size()); ++a) {
    if (a != from + 1) perm.push_back(a);
  }
  return reshape(transpose(reshape(y, split), perm), joined);
}

}  // namespace

Values batch_conv(const BatchContext& c) {
  Attrs attrs = c.node.attrs;
  const ConvSpec s = parse_conv(attrs.s("spec"));
  const int64_t features = attrs.i("feature_groups");
  const int64_t batches = attrs.i("batch_groups");
  const Shape& one = c.node.types[0].shape;
  const auto result = [&](const Value& x, const Value& kernel) {
    return x.graph().add(kConvolution, {x, kernel}, attrs).out();
  };
  if (!c.batched[1]) {
    const Value y = result(fold(c.x[0], s.lhs_b, batches), c.x[1]);
    return {unfold(y, one, s.out_b, c.size, 1)};
  }
  if (!c.batched[0]) {
    const int64_t groups = features * batches;
    const Value y = result(c.x[0], fold(c.x[1], s.rhs_o, groups));
    return {unfold(y, one, s.out_f, c.size, groups)};
  }
  // Every example brings its kernel: as many times the groups.
  const bool by_batch = batches > 1;
  attrs.set(by_batch ? "batch_groups" : "feature_groups",
            (by_batch ? batches : features) * c.size);
  const Value y = result(fold(c.x[0], by_batch ? s.lhs_b : s.lhs_f, 1),
                         fold(c.x[1], s.rhs_o, 1));
  return {unfold(y, one, s.out_f, c.size, 1)};
}

}  // namespace kexue::ops::detail
