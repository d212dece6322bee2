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

std::vector<double> parts(const HostArray& array) {
  if (!is_complex(array.dtype())) return array.to_doubles();
  std::vector<double> out;
  for (const auto& z : array.to_complexes()) {
    out.push_back(z.real());
    out.push_back(z.imag());
  }
  return out;
}

HostArray from_parts(const TensorType& type, const std::vector<double>& parts) {
  if (!is_complex(type.dtype)) return HostArray::from_doubles(type, parts);
  std::vector<std::complex<double>> z(parts.size() / 2);
  for (size_t i = 0; i < z.size(); ++i) z[i] = {parts[2 * i], parts[2 * i + 1]};
  return HostArray::from_complexes(type, z);
}

Tolerance tolerance(DType dtype) {
  switch (dtype) {
    case DType::kF64:
    case DType::kC128:
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
  const auto g = parts(got);
  const auto w = parts(want);
  const size_t width = is_complex(want.dtype()) ? 2 : 1;
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < w.size(); i += width) {
    double size = 0;
    double difference = 0;
    for (size_t k = i; k < i + width; ++k) {
      if (!std::isnan(w[k])) size = std::hypot(size, w[k]);
      if (g[k] == w[k] || (std::isnan(g[k]) && std::isnan(w[k]))) continue;
      difference = std::hypot(difference, g[k] - w[k]);
      if (std::isnan(difference)) difference = INFINITY;
    }
    if (difference == 0) continue;
    const double limit = tol.absolute + tol.relative * size;
    double excess = difference / (limit > 0 ? limit : 1e-300);
    if (std::isnan(excess)) excess = INFINITY;
    if (excess > worst) {
      worst = excess;
      at = i;
    }
  }
  if (worst <= 1) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "element " << at / width << " of " << want.type().str() << ": got "
         << g[at] << ", wanted " << w[at] << " (" << worst
         << " x the tolerance)";
}

}  // namespace kexue::testing
