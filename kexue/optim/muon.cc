#include "kexue/optim/muon.h"

#include <fmt/format.h>

#include <cmath>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"
#include "kexue/optim/check.h"

namespace kexue::optim {
namespace {

constexpr double kA = 3.4445;
constexpr double kB = -4.7750;
constexpr double kC = 2.0315;

}  // namespace

Muon::Muon(MuonOptions options) : options_(options) {
  detail::want_unit("muon", "momentum", options_.momentum);
  detail::want_positive("muon", "eps", options_.eps);
  const auto steps = static_cast<double>(options_.steps);
  detail::want_positive("muon", "steps", steps);
  if (options_.steps >= 100) {
    throw Error(Code::kInvalidArgument,
                fmt::format("muon: wants fewer than 100 steps, got {}",
                            options_.steps));
  }
}

std::vector<Slot> Muon::slots(const Target& target) const {
  if (target.rank() != 2) {
    throw Error(Code::kInvalidArgument,
                fmt::format("muon: parameter \"{}\" {} is no matrix",
                            target.name,
                            target.type.str()),
                "give the others to AdamW: see hidden_matrix");
  }
  return {{"momentum", target.type}};
}

Values Muon::direction(const Update& u) const {
  const double mu = options_.momentum;
  const Value g = u.clipped();
  const Value b = u.slots.at(0) * mu + g * (1 - mu);
  const Value c = options_.nesterov ? g * (1 - mu) + b * mu : b;
  const auto rows = static_cast<double>(c.dim(c.rank() - 2));
  const auto columns = static_cast<double>(c.dim(c.rank() - 1));
  const double scale = options_.scale == MuonOptions::Scale::kOriginal
                           ? std::sqrt(std::max(1.0, rows / columns))
                           : 0.2 * std::sqrt(std::max(rows, columns));
  return {newton_schulz(c, options_.steps, options_.eps) * scale, b};
}

bool hidden_matrix(const Target& target,
                   const std::vector<std::string>& others) {
  return target.rank() == 2 && !has_part(target.name, others);
}

Value newton_schulz(const Value& c, int64_t steps, double eps) {
  const bool tall = c.dim(c.rank() - 2) > c.dim(c.rank() - 1);
  const Value norm = slice_norm(c, c.rank() - 2);
  Value x = c / ops::maximum(norm, ops::full_like(norm, eps));
  if (tall) x = ops::matrix_transpose(x);
  for (int64_t i = 0; i < steps; ++i) {
    const Value gram = ops::matmul(x, ops::matrix_transpose(x));
    const Value change = gram * kB + ops::matmul(gram, gram) * kC;
    x = x * kA + ops::matmul(change, x);
  }
  return tall ? ops::matrix_transpose(x) : x;
}

}  // namespace kexue::optim
