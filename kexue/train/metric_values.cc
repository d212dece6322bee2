#include "kexue/train/metric_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace kexue::train {

double metric(const MetricValues& values, std::string_view name) {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

bool more_is_better(std::string_view name) {
  for (const char* less : {"loss", "mse", "mae", "perplexity"}) {
    if (name == less) return false;
  }
  return true;
}

bool is_share(std::string_view name) {
  return name.ends_with("accuracy");
}

std::string metric_label(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

std::string metric_text(std::string_view name, double value) {
  return is_share(name)
             ? fmt::format("{} {:.2f} %", metric_label(name), 100 * value)
             : fmt::format("{} {:.4f}", metric_label(name), value);
}

std::string metric_text(const MetricValues& values) {
  std::string out;
  for (const auto& [name, value] : values) {
    out += (out.empty() ? "" : ", ") + metric_text(name, value);
  }
  return out;
}

}  // namespace kexue::train
