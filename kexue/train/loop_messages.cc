// What a run tells its user: what it starts with, and why it cannot go on.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "kexue/base/error.h"
#include "kexue/train/detail/bad_gradients.h"
#include "kexue/train/detail/loop.h"

namespace kexue::train {

using data::Minibatch;

void Loop::announce() {
  const auto& lengths = task_.lengths();
  observer_.message(
      fmt::format("lengths {}: {} programs for the step (budget {}), {:.1f} "
                  "% padding",
                  fmt::join(lengths, " "),
                  lengths.size(),
                  config_.max_buckets,
                  100 * result_.padding_share));
  const Mesh mesh = parallel_of(config_).mesh;
  if (mesh.devices() > 1) {
    const auto bytes = engine_.state_bytes();
    observer_.message(
        fmt::format("mesh {}: {:.1f} MB of parameters and {:.1f} MB of "
                    "optimizer slots a device",
                    mesh.str(),
                    static_cast<double>(bytes.params) * 1e-6,
                    static_cast<double>(bytes.slots) * 1e-6));
  }
  const DType compute = precision_from_name(config_.precision);
  const bool scaled = config_.loss_scale != "none";
  if (compute == DType::kBF16 && !session_.platform().fast_bf16) {
    observer_.message(
        "warning: this processor has no bf16 products: f32 is faster");
  }
  if (compute == DType::kF16 && !scaled) {
    observer_.message(
        "warning: fp16 without loss scale: gradients of at most 2^-25 = "
        "2.98e-08 flush to zero; set train.loss_scale = \"dynamic\"");
  }
  if (compute != DType::kF16 && scaled) {
    observer_.message(
        fmt::format("warning: loss scale \"{}\" is {}: {} has the range of f32",
                    config_.loss_scale,
                    config_.force_loss_scale
                        ? "not needed, but train.force_loss_scale is set"
                        : "ignored",
                    config_.precision));
  }
}

// "; the first op to go wrong is log in ... at ..."
std::string Loop::first_culprit(const Minibatch& batch) {
  const std::string op = engine_.first_non_finite(batch.arrays, hyper_);
  return op.empty() ? op : "; the first op to go wrong is " + op;
}

void Loop::refuse_non_finite(const StepReport& r, const Minibatch& batch) {
  const char* what = std::isfinite(r.loss) ? "the gradient's norm" : "the loss";
  throw Error(
      Code::kInvalidArgument,
      fmt::format(
          "step {}: {} is not finite{}", r.step, what, first_culprit(batch)),
      config_.precision == "fp16" || config_.precision == "f16"
          ? "set train.loss_scale = \"dynamic\", or use bf16"
          : "try a smaller lr, or more warm-up");
}

void Loop::refuse_skips(const StepReport& r, const Minibatch& batch) {
  const std::string name = detail::first_bad_gradient(
      engine_, step_.params, step_.loss, batch.arrays);
  throw Error(
      Code::kInvalidArgument,
      fmt::format("{} step{} skipped in a row, the last at loss scale {}: "
                  "non-finite gradients independent of the scale; first bad "
                  "tensor: {}{}",
                  state_.skips,
                  state_.skips == 1 ? "" : "s",
                  static_cast<float>(r.scale),
                  name.empty() ? "none without dropout and scale" : name,
                  first_culprit(batch)),
      "a smaller static loss scale, or bf16, may help");
}

}  // namespace kexue::train
