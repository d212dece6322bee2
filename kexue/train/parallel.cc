#include "kexue/train/parallel.h"

#include <fmt/format.h>

#include "kexue/base/error.h"

namespace kexue::train {
namespace {

Sharding by_rule(const Parallel& parallel, const nn::NamedParam& param) {
  const Sharding s =
      nn::sharding_of(parallel.rules, param.name).restricted_to(parallel.mesh);
  try {
    s.check(parallel.mesh, param.param.shape());
  } catch (const Error& e) {
    throw Error(e.code(),
                fmt::format("parameter \"{}\": {}", param.name, e.text()),
                e.hint());
  }
  return s;
}

// `s` with the data axis in the largest dimension that it divides.
Sharding spread(const Parallel& parallel, const Sharding& s, const Shape& x) {
  if (!parallel.mesh.has(parallel.data_axis) || s.uses(parallel.data_axis)) {
    return s;
  }
  const int64_t n = parallel.mesh.size(parallel.data_axis);
  int64_t best = -1;
  for (int64_t d = 0; d < x.rank(); ++d) {
    const int64_t parts = n * s.parts(parallel.mesh, d);
    if (x[d] % parts == 0 && (best < 0 || x[d] >= x[best])) best = d;
  }
  return best < 0 ? s : s.with(x.rank(), best, parallel.data_axis);
}

}  // namespace

Sharding param_sharding(const Parallel& parallel, const nn::NamedParam& param) {
  const Sharding s = by_rule(parallel, param);
  return parallel.zero == Zero::kParams
             ? spread(parallel, s, param.param.shape())
             : s;
}

Sharding slot_sharding(const Parallel& parallel,
                       const nn::NamedParam& param,
                       const Shape& slot) {
  const Sharding s =
      slot == param.param.shape() ? by_rule(parallel, param) : Sharding{};
  return parallel.zero == Zero::kNone ? s : spread(parallel, s, slot);
}

Sharding batch_sharding(const Parallel& parallel,
                        const std::string& field,
                        const TensorType& type) {
  const std::string& axis = parallel.data_axis;
  if (type.shape.rank() == 0 || !parallel.mesh.has(axis)) return {};
  const int64_t n = parallel.mesh.size(axis);
  if (type.shape[0] % n != 0) {
    throw Error(Code::kInvalidArgument,
                fmt::format("batch field \"{}\" {} has {} rows, which the {} "
                            "devices along \"{}\" do not divide",
                            field,
                            type.str(),
                            type.shape[0],
                            n,
                            axis),
                fmt::format("a batch size that is a multiple of {}", n));
  }
  return Sharding{{axis}};
}

}  // namespace kexue::train
