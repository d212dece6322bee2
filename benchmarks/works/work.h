// What `kexue bench` runs: whole jobs as plain graph code, small enough to be
// written again, line by line, for another system (benchmarks/peers).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/base/random.h"
#include "kexue/ir/value.h"

namespace kexue::works {

using Sizes = std::map<std::string, int64_t>;

// A tensor that stays outside of the program, and how it starts.
struct Slot {
  std::string name;
  TensorType type;
  std::function<HostArray(const TensorType&, Key)> start;
};

// What a step reports (f32[]: a loss, or a checksum) and the next state.
struct StepResult {
  Value report;
  Values state;
};

struct Work {
  std::vector<Slot> state;   // replaced at every step; empty for inference
  std::vector<Slot> inputs;  // the same at every step
  std::function<StepResult(const Values& state, const Values& inputs)> step;
};

struct WorkDef {
  std::string name;
  std::string about;
  Sizes sizes;  // names and defaults
  std::function<Work(const Sizes&)> make;
};

// In the order of the table in RESULTS.md.
const std::vector<WorkDef>& all_works();
// Errors: kNotFound with the names there are.
const WorkDef& find_work(const std::string& name);
// The defaults with "L=4,H=256" in their place.
// Errors: kInvalidArgument for an unknown size or no positive number.
Sizes sizes_with(const WorkDef& work, const std::string& text);

// "H=256,L=4", in the order of the names.
std::string text_of(const Sizes& sizes);

// A slot from its parts.
Slot slot(std::string name,
          DType dtype,
          std::vector<int64_t> dims,
          std::function<HostArray(const TensorType&, Key)> start);

// ---- starts ---------------------------------------------------------------
HostArray zeros(const TensorType& type, Key key);
HostArray ones(const TensorType& type, Key key);
// Normal numbers with a standard deviation.
std::function<HostArray(const TensorType&, Key)> normal(double stddev);
// Integers 0..n-1.
std::function<HostArray(const TensorType&, Key)> below(int64_t n);

Work make_bert_train(const Sizes& sizes);
Work make_bert_embed(const Sizes& sizes);
Work make_bert_embed_mixed(const Sizes& sizes);
Work make_gpt_train(const Sizes& sizes);
Work make_unet_train(const Sizes& sizes);
Work make_mlp_wgan_gp(const Sizes& sizes);
Work make_lru_scan(const Sizes& sizes);
Work make_deep_scan(const Sizes& sizes);
Work make_cosent(const Sizes& sizes);
Work make_knn(const Sizes& sizes);
Work make_adamw(const Sizes& sizes);
// "update-RULE" for each rule of kexue/optim.
std::vector<WorkDef> update_works();

}  // namespace kexue::works
