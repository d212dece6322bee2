#include "kexue/optim/statistics.h"

#include <fmt/format.h>

#include <cmath>

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"

namespace kexue::optim {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Code::kInvalidArgument, "statistics: " + what)
      .with_scope(Scope::path());
}

DType wide_of(const Values& v) {
  for (const Value& x : v) {
    if (x.dtype() == DType::kF64) return DType::kF64;
  }
  return DType::kF32;
}

// The sum of f over the tensors, each widened first.
Value total(const Values& v, const std::function<Value(const Value&)>& f) {
  if (v.empty()) refuse("the list is empty");
  const DType wide = wide_of(v);
  Value sum;
  for (const Value& x : v) {
    const Value one = ops::sum(f(ops::convert(ops::widen(x), wide)));
    sum = sum ? sum + one : one;
  }
  return sum;
}

// sqrt with value and slope 0 at 0.
Value safe_sqrt(const Value& s) {
  const Value zero = ops::zeros_like(s);
  const Value some = ops::greater(s, zero);
  const Value root = ops::sqrt(ops::select(some, s, ops::ones_like(s)));
  // NaN is not greater than 0: it must not turn into 0.
  return ops::select(ops::equal(s, zero), zero, ops::select(some, root, s));
}

}  // namespace

Value sum_of_squares(const Values& v) {
  return total(v, [](const Value& x) { return x * x; });
}

Value l1_norm(const Values& v) {
  return total(v, [](const Value& x) { return ops::abs(x); });
}

Value l2_norm(const Values& v) {
  return safe_sqrt(sum_of_squares(v));
}

Value dot(const Values& a, const Values& b) {
  if (a.empty() || a.size() != b.size()) {
    refuse(fmt::format("dot of {} and {} tensors", a.size(), b.size()));
  }
  Values all = a;
  all.insert(all.end(), b.begin(), b.end());
  const DType wide = wide_of(all);
  Value sum;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].shape() != b[i].shape()) {
      refuse(fmt::format(
          "dot of {} and {}", a[i].type().str(), b[i].type().str()));
    }
    const Value x = ops::convert(ops::widen(a[i]), wide);
    const Value one = ops::sum(x * ops::convert(ops::widen(b[i]), wide));
    sum = sum ? sum + one : one;
  }
  return sum;
}

Value cosine(const Values& a, const Values& b) {
  const Value product = dot(a, b);
  const Value lengths = ops::convert(l2_norm(a), product.dtype()) *
                        ops::convert(l2_norm(b), product.dtype());
  const Value zero = ops::zeros_like(lengths);
  const Value none = ops::equal(lengths, zero);
  const Value divisor = ops::select(none, ops::ones_like(lengths), lengths);
  return ops::select(none, zero, product / divisor);
}

Values part(const Values& list, const Group& group) {
  Values out;
  for (const size_t i : group.members) {
    if (i >= list.size()) {
      refuse(fmt::format(
          "group {} names tensor {} of {}", group.name, i, list.size()));
    }
    out.push_back(list[i]);
  }
  return out;
}

Value per_group(const std::vector<Group>& groups,
                const std::function<Value(const Group&)>& statistic) {
  if (groups.empty()) refuse("no groups");
  Values numbers;
  for (const Group& g : groups) {
    numbers.push_back(ops::reshape(statistic(g), {1}));
  }
  return ops::concatenate(numbers, 0);
}

void require_finite(const std::vector<Group>& groups,
                    const HostArray& numbers,
                    const std::string& what) {
  if (numbers.size() != static_cast<int64_t>(groups.size())) {
    refuse(fmt::format("{} groups, {} numbers", groups.size(), numbers.size()));
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    const double x = numbers.at(static_cast<int64_t>(i));
    if (!std::isfinite(x)) {
      refuse(fmt::format("{} of group {} is {}", what, groups[i].name, x));
    }
  }
}

}  // namespace kexue::optim
