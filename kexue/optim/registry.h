// Update rules by name.
#pragma once

#include <string>
#include <vector>

#include "kexue/optim/optimizer.h"
#include "kexue/optim/options.h"

namespace kexue::optim {

struct RuleInfo {
  std::string name;
  std::string summary;
  std::vector<std::string> options;  // with their defaults: "beta1 = 0.9"
};
// By name, each with every option that make() takes for it.
std::vector<RuleInfo> rules();

// The rule with its options, and around it what these options ask for:
//   lookahead = 5, lookahead_rate = 0.5        Lookahead
//   ema = 0.999                                MovingAverage
//   lazy_rows = ["embeddings.word"]            LazyRows
//   rates = {embeddings = 0.1}                 Rates
//
// Errors: kInvalidArgument for an unknown name (with all names), an option that
//         the rule does not have (with those it has), and values out of range.
OptimizerPtr make(const std::string& name, const OptionList& options = {});

}  // namespace kexue::optim
