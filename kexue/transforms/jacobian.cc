#include "kexue/transforms/jacobian.h"

#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/batch.h"

namespace kexue::transforms {
namespace {

using Dims = std::vector<int64_t>;

Dims joined(const Dims& a, const Dims& b) {
  Dims out = a;
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

// The unit vectors of like's space as f[size,shape...].
Value units(const Value& like) {
  const int64_t n = like.shape().size();
  const ir::Tracing tracing(ir::Tracing::innermost(like.graph()));
  const Value i = ops::iota({DType::kI32, {n}});
  return ops::reshape(ops::one_hot(i, n, like.dtype()),
                      joined({n}, like.shape().dims()));
}

Values by_rows(const Value& y, const Values& xs) {
  const Map pull = [&](const Values& u) { return vjp({y}, {u[0]}, xs); };
  Values out = batch(pull)({units(y)});
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] =
        ops::reshape(out[i], joined(y.shape().dims(), xs[i].shape().dims()));
  }
  return out;
}

Values by_columns(const Value& y, const Values& xs) {
  const Map push = linearize({y}, xs);
  Values out;
  for (size_t i = 0; i < xs.size(); ++i) {
    const Map one = [&](const Values& v) {
      Values tangents(xs.size());
      tangents[i] = v[0];
      return push(tangents);
    };
    const Value rows = batch(one)({units(xs[i])})[0];  // [N,M...]
    Dims perm;
    for (int64_t a = 1; a < rows.rank(); ++a) perm.push_back(a);
    perm.push_back(0);
    out.push_back(ops::reshape(ops::transpose(rows, perm),
                               joined(y.shape().dims(), xs[i].shape().dims())));
  }
  return out;
}

}  // namespace

Values jacobian(const Value& y, const Values& xs, Sweep sweep) {
  return sweep == Sweep::kReverse ? by_rows(y, xs) : by_columns(y, xs);
}

Map jacobian(const Function& f, Sweep sweep) {
  return [f, sweep](const Values& x) { return jacobian(f(x), x, sweep); };
}

std::vector<Values> hessian(const Value& loss, const Values& xs) {
  std::vector<Values> rows;
  for (const Value& g : gradients(loss, xs)) {
    rows.push_back(jacobian(g, xs, Sweep::kReverse));
  }
  return rows;
}

}  // namespace kexue::transforms
