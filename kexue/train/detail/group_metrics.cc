#include "kexue/train/detail/group_metrics.h"

#include <algorithm>

#include "kexue/ops/ops.h"
#include "kexue/optim/statistics.h"

namespace kexue::train::detail {
namespace {

using optim::Group;

std::vector<Group> groups_of(const nn::ParamList& params) {
  std::vector<Group> out;
  for (size_t i = 0; i < params.size(); ++i) {
    const std::string name = group_of(params[i].name);
    auto at = std::find_if(
        out.begin(), out.end(), [&](const Group& g) { return g.name == name; });
    if (at == out.end()) at = out.insert(out.end(), {name, {}});
    at->members.push_back(i);
  }
  return out;
}

// What products see of x. A pair of casts may be dropped by a compiler that
// is allowed more precision; the explicit rounding may not.
Value seen_in(DType dtype, const Value& x) {
  return dtype == DType::kBF16 ? ops::reduce_precision(x, 8, 7)
                               : ops::convert(x, dtype);
}

// The share of the group's elements for which f, a Value for each parameter,
// is true. Counted in i32: f32 cannot count beyond 2^24 one by one.
template <class F>
Value share(const nn::ParamList& params, const Group& group, const F& f) {
  Value count;
  int64_t size = 0;
  for (const size_t i : group.members) {
    const Value mine = ops::sum(ops::convert(f(i), DType::kI32));
    count = i == group.members[0] ? mine : count + mine;
    size += params[i].param.shape().size();
  }
  return ops::convert(count, DType::kF32) *
         (1.0 / static_cast<double>(std::max<int64_t>(size, 1)));
}

}  // namespace

std::string group_of(const std::string& parameter) {
  const size_t last = parameter.rfind('.');
  if (last == std::string::npos) return parameter;
  const std::string path = parameter.substr(0, last);
  const size_t first = path.find('.');
  if (first == std::string::npos) return path;
  return path.substr(0, path.find('.', first + 1));
}

std::vector<std::pair<std::string, Value>> group_metrics(
    const nn::ParamList& params, const GroupStep& step) {
  std::vector<std::pair<std::string, Value>> out;
  for (const Group& g : groups_of(params)) {
    const auto& s = step;
    out.emplace_back("grad_norm/" + g.name,
                     optim::l2_norm(optim::part(s.grads, g)));
    out.emplace_back(
        "zero_gradients/" + g.name, share(params, g, [&](size_t i) {
          return ops::equal(s.grads[i], ops::zeros_like(s.grads[i]));
        }));
    out.emplace_back("moved/" + g.name, share(params, g, [&](size_t i) {
                       return ops::not_equal(s.after[i], s.before[i]);
                     }));
    if (s.compute == DType::kF32) continue;
    out.emplace_back("moved_low/" + g.name, share(params, g, [&](size_t i) {
                       return ops::not_equal(seen_in(s.compute, s.after[i]),
                                             seen_in(s.compute, s.before[i]));
                     }));
  }
  return out;
}

}  // namespace kexue::train::detail
