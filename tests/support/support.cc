#include <cmath>

#include "tests/support/check_close.h"
#include "tests/support/error_matchers.h"

namespace kexue::testing {

::testing::AssertionResult throws(const std::function<void()>& f,
                                  Code code,
                                  const std::vector<std::string>& parts) {
  try {
    f();
  } catch (const Error& e) {
    if (e.code() != code) {
      return ::testing::AssertionFailure()
             << "code " << to_string(e.code()) << ", wanted " << to_string(code)
             << ": " << e.what();
    }
    for (const auto& part : parts) {
      if (std::string(e.what()).find(part) == std::string::npos) {
        return ::testing::AssertionFailure()
               << "no \"" << part << "\" in: " << e.what();
      }
    }
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "nothing was thrown";
}

Tolerance tolerance(DType dtype) {
  switch (dtype) {
    case DType::kF64:
      return {1e-12, 1e-12};
    case DType::kF32:
    case DType::kC64:
      return {2e-6, 2e-6};
    case DType::kBF16:
      return {1e-2, 1e-2};
    case DType::kF16:
      return {2e-3, 2e-3};
    default:
      return {0, 0};
  }
}

::testing::AssertionResult close(const HostArray& got, const HostArray& want) {
  return close(got, want, tolerance(want.dtype()));
}

::testing::AssertionResult close(const HostArray& got,
                                 const HostArray& want,
                                 Tolerance tol) {
  if (got.type() != want.type()) {
    return ::testing::AssertionFailure()
           << "type " << got.type().str() << ", wanted " << want.type().str();
  }
  const auto g = got.to_doubles();
  const auto w = want.to_doubles();
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    if (g[i] == w[i] || (std::isnan(g[i]) && std::isnan(w[i]))) continue;
    const double limit = tol.absolute + tol.relative * std::fabs(w[i]);
    double excess = std::fabs(g[i] - w[i]) / (limit > 0 ? limit : 1e-300);
    if (std::isnan(excess)) excess = INFINITY;
    if (excess > worst) {
      worst = excess;
      at = i;
    }
  }
  if (worst <= 1) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "element " << at << " of " << want.type().str() << ": got " << g[at]
         << ", wanted " << w[at] << " (" << worst << " x the tolerance)";
}

}  // namespace kexue::testing
