#include "kexue/optim/tiger.h"

#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {

Tiger::Tiger(TigerOptions options) : options_(std::move(options)) {
  detail::want_unit("tiger", "beta", options_.beta);
  detail::want_not_negative("tiger", "weight_decay", options_.weight_decay);
}

std::vector<Slot> Tiger::slots(const Target& target) const {
  return {{"m", target.type}};
}

Values Tiger::direction(const Update& u) const {
  const double beta = options_.beta;
  const Value m = u.slots.at(0) * beta + u.clipped() * (1 - beta);
  const Value sign = ops::sign(m);
  if (has_part(u.name, options_.small)) return {sign * 0.5, m};
  const bool rows = has_part(u.name, options_.rows) && u.param.rank() > 0;
  const Value rms = slice_rms(u.param, rows ? u.param.rank() - 1 : u.stack);
  return {(sign + u.param * options_.weight_decay) * rms, m};
}

}  // namespace kexue::optim
