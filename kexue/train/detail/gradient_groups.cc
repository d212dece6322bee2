#include "kexue/train/detail/gradient_groups.h"

#include <string_view>

namespace kexue::train::detail {
namespace {

constexpr const char* kGroups[] = {
    "embedding", "attention", "ffn", "norm", "head"};

size_t group_of(std::string_view name) {
  const auto has = [&](const char* part) {
    return name.find(part) != std::string_view::npos;
  };
  if (has("norm.")) return 3;
  if (has("embedding")) return 0;
  if (has("attention.")) return 1;
  if (has("ffn.")) return 2;
  return 4;
}

}  // namespace

std::vector<optim::Group> gradient_groups(const nn::ParamList& params) {
  std::vector<optim::Group> all;
  for (const char* name : kGroups) all.push_back({name, {}});
  for (size_t i = 0; i < params.size(); ++i) {
    all[group_of(params[i].name)].members.push_back(i);
  }
  std::erase_if(all, [](const auto& group) { return group.members.empty(); });
  return all;
}

MetricValues group_norms(const Metrics& metrics) {
  MetricValues out;
  for (const char* name : kGroups) {
    const auto found = metrics.find(std::string(kGroupNorm) + name);
    if (found != metrics.end()) out.emplace_back(name, found->second);
  }
  return out;
}

}  // namespace kexue::train::detail
