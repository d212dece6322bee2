// How well numbers agree.
#pragma once

#include <span>
#include <vector>

#include "kexue/train/metric_values.h"

namespace kexue::train {

// sum (x - mean x)(y - mean y) / sqrt(sum (x - mean x)^2 sum (y - mean y)^2);
// NaN if x or y is constant or empty.
double pearson(std::span<const double> x, std::span<const double> y);

// pearson() of the ranks, equal values having the mean of theirs.
double spearman(std::span<const double> x, std::span<const double> y);

// "loss" (the mean squared error), "pearson", "spearman", "sign_accuracy" (the
// share of scores with the sign of the wanted one; those with |wanted| below
// `sign_margin`, or 0, are left out) and "mse".
MetricValues regression_metrics(std::span<const double> predicted,
                                std::span<const double> wanted,
                                double sign_margin = 0);

// 1 for the smallest; equal values have the mean of their ranks.
std::vector<double> ranks(std::span<const double> x);

}  // namespace kexue::train
