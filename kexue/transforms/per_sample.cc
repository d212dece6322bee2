#include "kexue/transforms/per_sample.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"
#include "kexue/transforms/batch.h"

namespace kexue::transforms {
namespace {

// f[B,S...,D] as f[B,S,D], wide.
Value by_position(const Value& x) {
  const Value w = ops::widen(x);
  int64_t positions = 1;
  for (int64_t a = 1; a + 1 < w.rank(); ++a) positions *= w.dim(a);
  return ops::reshape(w, {w.dim(0), positions, w.dim(-1)});
}

}  // namespace

Values per_sample_gradients(const SampleLoss& loss,
                            const Values& params,
                            const Values& examples) {
  const size_t n = params.size();
  const Map one = [&](const Values& all) {
    const auto split = all.begin() + static_cast<long>(n);
    const Values p(all.begin(), split);
    return gradients(loss(p, Values(split, all.end())), p);
  };
  Values all = params;
  all.insert(all.end(), examples.begin(), examples.end());
  std::vector<int64_t> axes(n, kShared);
  axes.resize(all.size(), 0);
  return batch(one, axes)(all);
}

LayerSquares linear_gradient_squares(const Value& x, const Value& dz) {
  bool fits = x.rank() >= 2 && x.rank() == dz.rank();
  for (int64_t a = 0; fits && a + 1 < x.rank(); ++a) {
    fits = x.dim(a) == dz.dim(a);
  }
  if (!fits) {
    throw Error(Code::kInvalidArgument,
                fmt::format("linear_gradient_squares: wants x f[B,...,I] and "
                            "dz f[B,...,O], got {} and {}",
                            x.type().str(),
                            dz.type().str()))
        .with_scope(Scope::path());
  }
  const Value h = by_position(x);
  const Value d = by_position(dz);
  const Value total = ops::sum(d, {1});
  const Value bias = ops::sum(total * total, {1});
  if (h.dim(1) == 1) return {bias * ops::sum(h * h, {1, 2}), bias};
  const auto gram = [](const Value& v) {
    return ops::einsum("bsi,bti->bst", v, v);
  };
  return {ops::sum(gram(h) * gram(d), {1, 2}), bias};
}

}  // namespace kexue::transforms
