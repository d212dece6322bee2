#include "kexue/optim/adagrad.h"

#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {

AdaGrad::AdaGrad(AdaGradOptions options) : options_(options) {
  detail::want_positive("adagrad", "eps", options_.eps);
  detail::want_not_negative("adagrad", "start", options_.start);
}

std::vector<Slot> AdaGrad::slots(const Target& target) const {
  return {{"sum", target.type, options_.start}};
}

Values AdaGrad::direction(const Update& u) const {
  const Value g = u.clipped();
  const Value s = u.slots.at(0) + g * g;
  return {g / (ops::sqrt(s) + options_.eps), s};
}

}  // namespace kexue::optim
