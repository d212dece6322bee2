#include "kexue/optim/check.h"

#include <fmt/format.h>

#include <cmath>

#include "kexue/base/error.h"

namespace kexue::optim::detail {
namespace {

void want(bool met,
          const char* rule,
          const char* option,
          const char* range,
          double x) {
  if (met && std::isfinite(x)) return;
  throw Error(Code::kInvalidArgument,
              fmt::format("{}: wants {} {}, got {}", rule, option, range, x));
}

}  // namespace

void want_unit(const char* rule, const char* option, double x) {
  want(x >= 0 && x < 1, rule, option, "in [0,1)", x);
}

void want_share(const char* rule, const char* option, double x) {
  want(x > 0 && x <= 1, rule, option, "in (0,1]", x);
}

void want_positive(const char* rule, const char* option, double x) {
  want(x > 0, rule, option, "> 0", x);
}

void want_not_negative(const char* rule, const char* option, double x) {
  want(x >= 0, rule, option, ">= 0", x);
}

}  // namespace kexue::optim::detail
