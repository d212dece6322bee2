#include "kexue/optim/sgd.h"

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {

Sgd::Sgd(SgdOptions options) : options_(options) {
  detail::want_unit("sgd", "momentum", options_.momentum);
  if (options_.nesterov && options_.momentum == 0) {
    throw Error(Code::kInvalidArgument, "sgd: Nesterov needs a momentum");
  }
}

std::vector<Slot> Sgd::slots(const Target& target) const {
  if (options_.momentum == 0) return {};
  return {{"momentum", target.type}};
}

Values Sgd::direction(const Update& u) const {
  const Value g = u.clipped();
  if (options_.momentum == 0) return {g};
  const Value b = u.slots.at(0) * options_.momentum + g;
  return {options_.nesterov ? g + b * options_.momentum : b, b};
}

}  // namespace kexue::optim
