// Named figures of a batch or of a split.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kexue::train {

// In the order they are shown; the first is the headline.
using MetricValues = std::vector<std::pair<std::string, double>>;

// NaN if there is none of that name.
double metric(const MetricValues& values, std::string_view name);

// False for losses, errors and perplexity: less is better.
bool more_is_better(std::string_view name);

// True for accuracies, which are shown in percent.
bool is_share(std::string_view name);
// "sign_accuracy" -> "sign accuracy".
std::string metric_label(std::string_view name);
// "accuracy 87.86 %", "pearson 0.8123".
std::string metric_text(std::string_view name, double value);
std::string metric_text(const MetricValues& values);  // joined by ", "

// Names of the metrics of reports, in the order of their first appearance.
template <class Reports>
std::vector<std::string> metric_names(const Reports& reports) {
  std::vector<std::string> out;
  for (const auto& report : reports) {
    for (const auto& [name, value] : report.metrics) {
      if (std::find(out.begin(), out.end(), name) == out.end()) {
        out.push_back(name);
      }
    }
  }
  return out;
}

}  // namespace kexue::train
