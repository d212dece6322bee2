#include "kexue/optim/by_name.h"

#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {

Rates::Rates(OptimizerPtr inner, Factors factors)
    : Wrapper(std::move(inner)), factors_(std::move(factors)) {
  for (const auto& [part, factor] : factors_) {
    detail::want_not_negative("rates", part.c_str(), factor);
  }
}

Values Rates::apply(const Update& u) const {
  for (const auto& [part, factor] : factors_) {
    if (!has_part(u.name, {part})) continue;
    Update scaled = u;
    scaled.lr = u.lr * factor;
    return inner().apply(scaled);
  }
  return inner().apply(u);
}

std::vector<Slot> Choice::slots(const Target& target) const {
  return choose_(target).slots(target);
}

Values Choice::apply(const Update& u) const {
  return choose_(u.target()).apply(u);
}

LazyRows::LazyRows(OptimizerPtr inner, std::vector<std::string> tables)
    : Wrapper(std::move(inner)), tables_(std::move(tables)) {}

Values LazyRows::apply(const Update& u) const {
  Values out = inner().apply(u);
  if (u.target().rank() != 2 || !has_part(u.name, tables_)) return out;
  const Value touched =
      ops::any(ops::not_equal(u.grad, ops::zeros_like(u.grad)),
               {u.grad.rank() - 1},
               true);
  out[0] = ops::select(touched, out[0], u.param);
  for (size_t k = 1; k < out.size(); ++k) {
    if (out[k].type() != u.param.type()) continue;
    out[k] = ops::select(touched, out[k], u.slots.at(k - 1));
  }
  return out;
}

}  // namespace kexue::optim
