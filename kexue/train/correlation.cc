#include "kexue/train/correlation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace kexue::train {

double pearson(std::span<const double> x, std::span<const double> y) {
  const auto n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double a = x[i] - mean_x;
    const double b = y[i] - mean_y;
    xy += a * b;
    xx += a * a;
    yy += b * b;
  }
  if (!(xx > 0) || !(yy > 0)) return std::numeric_limits<double>::quiet_NaN();
  return xy / std::sqrt(xx) / std::sqrt(yy);
}

std::vector<double> ranks(std::span<const double> x) {
  std::vector<size_t> order(x.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) {
    return x[i] < x[j];
  });
  std::vector<double> out(x.size());
  for (size_t i = 0; i < order.size();) {
    size_t end = i + 1;
    while (end < order.size() && x[order[end]] == x[order[i]]) ++end;
    // Ranks i+1 .. end.
    const double mean = static_cast<double>(i + 1 + end) / 2;
    for (; i < end; ++i) out[order[i]] = mean;
  }
  return out;
}

double spearman(std::span<const double> x, std::span<const double> y) {
  return pearson(ranks(x), ranks(y));
}

MetricValues regression_metrics(std::span<const double> predicted,
                                std::span<const double> wanted,
                                double sign_margin) {
  double squares = 0;
  double signs = 0;
  double right = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double error = predicted[i] - wanted[i];
    squares += error * error;
    if (wanted[i] == 0 || std::abs(wanted[i]) < sign_margin) continue;
    ++signs;
    right += (predicted[i] > 0) == (wanted[i] > 0) ? 1 : 0;
  }
  const double mse = squares / static_cast<double>(wanted.size());
  return {{"loss", mse},
          {"pearson", pearson(predicted, wanted)},
          {"spearman", spearman(predicted, wanted)},
          {"sign_accuracy", right / signs},
          {"mse", mse}};
}

}  // namespace kexue::train
