#include "kexue/optim/optimizer.h"

#include <algorithm>
#include <cmath>

#include "kexue/ops/ops.h"

namespace kexue::optim {

HostArray initial(const Slot& slot, const HostArray& param) {
  if (slot.from_param) return param;
  return HostArray::full(slot.type, slot.fill);
}

Value Update::clipped() const {
  return scale ? grad * scale : grad;
}

Values Rule::apply(const Update& update) const {
  Values out = direction(update);
  out.at(0) = update.param - out[0] * update.lr;
  return out;
}

Update Wrapper::inner_update(const Update& update) const {
  Update out = update;
  out.slots.resize(inner_->slots(update.target()).size());
  return out;
}

bool has_part(const std::string& name, const std::vector<std::string>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](const auto& part) {
    return name.find(part) != std::string::npos;
  });
}

Value slice_norm(const Value& x, int64_t stack) {
  std::vector<int64_t> axes;
  for (int64_t d = stack; d < x.rank(); ++d) axes.push_back(d);
  if (axes.empty()) return ops::abs(x);  // no axes would mean all of them
  return ops::sqrt(ops::sum(x * x, axes, true));
}

Value slice_rms(const Value& x, int64_t stack) {
  int64_t count = 1;
  for (int64_t d = stack; d < x.rank(); ++d) count *= x.dim(d);
  return slice_norm(x, stack) * (1 / std::sqrt(static_cast<double>(count)));
}

Value bias_correction(const Value& t, double beta) {
  if (beta == 0) return ops::ones_like(t);
  return -ops::expm1(t * std::log(beta));
}

}  // namespace kexue::optim
