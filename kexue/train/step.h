// The whole training step as one graph: forward, backward, loss scaling,
// clipping, schedule, optimizer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/ir/graph.h"
#include "kexue/nn/param.h"
#include "kexue/optim/optim.h"
#include "kexue/train/parallel.h"

namespace kexue::train {

// Batch fields by name: "ids", "mask", "label", ...
using BatchValues = std::map<std::string, Value>;
using BatchTypes = std::map<std::string, TensorType>;

// The loss of a batch (f32[], a mean) and further f32[] sums to report.
struct LossResult {
  Value loss;
  std::vector<std::pair<std::string, Value>> metrics;
  // Of a choice between classes: logits f[N,C] and weights f[N] of its rows,
  // for losses that compare predictions (loss_transforms.h). Else empty.
  Value logits = {};
  Value weights = {};
};
using LossFunction = std::function<LossResult(const BatchValues&)>;

// Multiplies the loss so that small 16-bit gradients do not flush to zero.
// Dynamic: doubles after `interval` clean steps, halves and skips the step
// (parameters, slots and step count stay as they are) when a gradient is not
// finite. Source: Micikevicius et al. 2018, arXiv:1710.03740.
struct LossScale {
  enum class Kind { kNone, kStatic, kDynamic };
  Kind kind = Kind::kNone;
  double initial = 65536;
  double factor = 2;
  double backoff = 0.5;
  int interval = 2000;
  // false: clipping and the optimizer see the gradients times the scale. Adam
  // with eps then does what it does with eps / scale on the gradients alone.
  bool unscale = true;

  static LossScale none() { return {}; }
  static LossScale fixed(double scale) {
    return {.kind = Kind::kStatic, .initial = scale};
  }
  static LossScale dynamic(double initial = 65536,
                           double factor = 2,
                           double backoff = 0.5,
                           int interval = 2000) {
    return {Kind::kDynamic, initial, factor, backoff, interval};
  }
};

struct StepOptions {
  LossScale loss_scale;
  optim::ClipOptions clip = {};
  optim::Schedule schedule = {};
  uint64_t seed = 0;
  Parallel parallel = {};
  // An update from the mean gradient of so many batches. Counters, schedule and
  // bias corrections count updates.
  int64_t accumulate = 1;
  // Parts of the parameters, by position, whose gradients' norms are reported
  // as well: they cost a few additions, for the whole norm is made of the same
  // sums.
  std::vector<optim::Group> groups = {};
  // Further metrics, "grad_norm/encoder.ffn" and the like: length of the
  // gradient, shares of zeros in it and of parameters that the update moved
  // (detail/group_metrics.h). They read all parameters once more.
  bool group_metrics = false;
  // The type that parameters are rounded to before products: for the shares
  // of those that moved. The engine fills it in.
  DType compute = DType::kF32;
};
// What the metric of a group is called: this and the group's name.
inline constexpr const char* kGroupNorm = "part_norm.";

// What training carries from step to step, in this order: parameters, slots
// (those of a parameter together), with accumulation the gradients' sums, then
// step i32[], skipped i32[], clean i32[], scale f32[], key u32[2], and with
// accumulation the number of batches in the sums, micro i32[], and the sum of
// their losses, loss_sum f32[]. Saving it and going on is exact.
struct StateLayout {
  std::vector<std::string> names;  // a slot's is "m/encoder.query.weight"
  std::vector<TensorType> types;
  size_t num_params = 0;
  std::vector<std::vector<optim::Slot>> slots;  // of each parameter

  size_t size() const { return names.size(); }
  size_t index(const std::string& name) const;  // kInternal if absent
};
StateLayout state_layout(const nn::ParamList& params,
                         const optim::Optimizer& optimizer,
                         int64_t accumulate = 1);
// Slots as they declare, counters at zero, the scale at its start.
std::vector<HostArray> initial_state(const StateLayout& layout,
                                     std::vector<HostArray> params,
                                     const StepOptions& options);

// Scalars that may change without compiling again.
struct Hyper {
  double lr = 5e-5;  // peak
  double warmup_steps = 0;
  double total_steps = 1;   // where the line reaches 0
  HostArray array() const;  // f32[3]
};

// A step whose loss or gradients are not finite leaves the state as it was (but
// for the counters of loss scaling), so that it can be run again and looked at.
//
// With accumulation there are two: kAdd adds a batch's gradients to the sums,
// kUpdate does so too, takes the mean, and starts the sums again from 0. Its
// loss is the mean of all; a batch that is not finite spoils the update it is
// part of.
//
// Inputs: state, batch fields by name, hyper f32[3].
// Outputs: the entries of the state that `changes` lists (kUpdate: all), then
//          metrics f32[n], n = metric_names.size().
enum class Phase { kAdd, kUpdate };
struct StepGraph {
  std::unique_ptr<ir::Graph> graph;
  std::vector<size_t> changes;  // what outputs are of the state
  std::vector<int64_t> alias;   // every state input that changes is donated
  std::vector<std::string> metric_names;  // "loss", "grad_norm", "lr",
                                          // "finite", "scale", then the loss's
                                          // and those of groups
  std::vector<Sharding> in;  // how inputs and outputs lie on the mesh
  std::vector<Sharding> out;
};
// How the state lies on the mesh, in the order of state_layout.
// Errors: as param_sharding.
std::vector<Sharding> state_shardings(const nn::ParamList& params,
                                      const optim::Optimizer& optimizer,
                                      const Parallel& parallel,
                                      int64_t accumulate = 1);
StepGraph build_step(const nn::ParamList& params,
                     const LossFunction& loss,
                     const optim::Optimizer& optimizer,
                     const BatchTypes& batch,
                     const StepOptions& options,
                     Phase phase = Phase::kUpdate);

// Inputs: the state. Outputs: the parameters at the point that the optimizer
// wants evaluated and kept.
std::unique_ptr<ir::Graph> build_evaluation(const nn::ParamList& params,
                                            const optim::Optimizer& optimizer,
                                            int64_t accumulate = 1);

// Inputs: parameters, batch fields by name. Outputs: those of f.
std::unique_ptr<ir::Graph> build_forward(
    const nn::ParamList& params,
    const std::function<Values(const BatchValues&)>& f,
    const BatchTypes& batch);

}  // namespace kexue::train
