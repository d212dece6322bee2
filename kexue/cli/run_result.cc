#include "kexue/cli/run_result.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kexue::cli {

std::vector<train::EvalReport> last_evals(const train::FineTuneResult& result) {
  std::vector<train::EvalReport> out;
  for (const auto& eval : result.evals) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const auto& e) {
      return e.split == eval.split;
    });
    if (same == out.end()) {
      out.push_back(eval);
    } else {
      *same = eval;
    }
  }
  return out;
}

std::string json_of(const train::FineTuneResult& result) {
  nlohmann::ordered_json document = {
      {"folder", result.folder},
      {"interrupted", result.interrupted},
      {"steps", result.steps},
      {"skipped", result.skipped},
      {"train_seconds", result.train_s},
      {"compile_s", result.compile_s},
      {"first_step_s", result.first_step_s},
      {"step_s", result.step_s},
      {"input_s", result.input_s},
      {"tokens_per_s", result.tokens_per_s},
      {"padding_share", result.padding_share},
      {"programs", result.programs},
      {"from_cache", result.from_cache},
  };
  document["evals"] = nlohmann::ordered_json::object();
  for (const auto& eval : last_evals(result)) {
    auto& out = document["evals"][eval.split];
    out["loss"] = eval.loss;
    for (const auto& [name, value] : eval.metrics) out[name] = value;
    out["rows"] = eval.rows;
    out["step"] = eval.step;
  }
  return document.dump();
}

}  // namespace kexue::cli
