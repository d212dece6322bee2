// One DDPM step of a small U-Net on 28 x 28 images, with an averaged copy of
// the weights (EMA).
//
//   C channels at full size (2 C below), B images; group norm with 8 groups,
//   SiLU, one residual block a level, 7 x 7 at the bottom.
// Source: Ho et al. 2020, arXiv:2006.11239.
#include <cmath>

#include "benchmarks/works/trainer.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/ops.h"

namespace kexue::works {
namespace {

constexpr int64_t kTime = 64;  // width of the sinusoidal embedding
constexpr int64_t kGroups = 8;

void add_conv(ParamTable& table,
              const std::string& name,
              int64_t size,
              int64_t in,
              int64_t out) {
  const auto fan = static_cast<double>(size * size * in);
  table.add(name + ".weight", {size, size, in, out}, 1 / std::sqrt(fan));
  table.add(name + ".bias", {out}, 0);
}

void add_block(ParamTable& table,
               const std::string& name,
               int64_t in,
               int64_t out) {
  table.add_norm(name + ".norm1", in);
  add_conv(table, name + ".conv1", 3, in, out);
  table.add_dense(name + ".time", 4 * kTime, out);
  table.add_norm(name + ".norm2", out);
  add_conv(table, name + ".conv2", 3, out, out);
  if (in != out) add_conv(table, name + ".skip", 1, in, out);
}

Value silu(const Value& x) {
  return x * ops::logistic(x);
}

Value conv(const ParamValues& p,
           const std::string& name,
           const Value& x,
           int64_t stride = 1) {
  ops::ConvOptions options;
  options.strides = {stride, stride};
  const Value& w = p[name + ".weight"];
  if (w.dim(0) == 3) options.padding = ops::Padding::both({1, 1});
  return ops::conv2d(x, w, options) + p[name + ".bias"];
}

Value norm_silu(const ParamValues& p, const std::string& name, const Value& x) {
  const int64_t groups = std::min(kGroups, x.dim(-1));
  return ops::group_norm(
      x, p[name + ".weight"], p[name + ".bias"], groups, 1e-5, true);
}

Value block(const ParamValues& p,
            const std::string& name,
            const Value& x,
            const Value& time) {
  const Scope scope(name);
  const Value h = conv(p, name + ".conv1", norm_silu(p, name + ".norm1", x));
  const Value shift = dense(p, name + ".time", time);
  const Value moved =
      h + ops::reshape(shift, {shift.dim(0), 1, 1, shift.dim(1)});
  const Value y =
      conv(p, name + ".conv2", norm_silu(p, name + ".norm2", moved));
  return y + (x.dim(3) == y.dim(3) ? x : conv(p, name + ".skip", x));
}

Value predict(const ParamValues& p, const Value& x, const Value& embedded) {
  const Value time = silu(dense(p, "time2", silu(dense(p, "time1", embedded))));
  const Value full = block(p, "down1", conv(p, "first", x), time);
  const Value half = block(p, "down2", conv(p, "shrink1", full, 2), time);
  const Value low = block(p, "middle", conv(p, "shrink2", half, 2), time);
  const Value up1 = conv(p, "grow1", ops::upsample_nearest(low, {2, 2}));
  const Value y1 = block(p, "up1", ops::concatenate({up1, half}, 3), time);
  const Value up2 = conv(p, "grow2", ops::upsample_nearest(y1, {2, 2}));
  const Value y2 = block(p, "up2", ops::concatenate({up2, full}, 3), time);
  return conv(p, "last", norm_silu(p, "last_norm", y2));
}

ParamTable unet_params(int64_t c) {
  ParamTable table;
  table.add_dense("time1", kTime, 4 * kTime);
  table.add_dense("time2", 4 * kTime, 4 * kTime);
  add_conv(table, "first", 3, 1, c);
  add_block(table, "down1", c, c);
  add_conv(table, "shrink1", 3, c, 2 * c);
  add_block(table, "down2", 2 * c, 2 * c);
  add_conv(table, "shrink2", 3, 2 * c, 2 * c);
  add_block(table, "middle", 2 * c, 2 * c);
  add_conv(table, "grow1", 3, 2 * c, 2 * c);
  add_block(table, "up1", 4 * c, 2 * c);
  add_conv(table, "grow2", 3, 2 * c, c);
  add_block(table, "up2", 2 * c, c);
  table.add_norm("last_norm", c);
  add_conv(table, "last", 3, c, 1);
  return table;
}

}  // namespace

// "keep" in [0, 1) is the share of the image that is left of each example.
Work make_unet_train(const Sizes& s) {
  const int64_t b = s.at("B");
  const ParamTable table = unet_params(s.at("C"));
  const std::vector<Slot> inputs = {
      slot("images", DType::kF32, {b, 28, 28, 1}, normal(1)),
      slot("noise", DType::kF32, {b, 28, 28, 1}, normal(1)),
      slot("keep", DType::kF32, {b, 1, 1, 1}, normal(0.3)),
      slot("time", DType::kF32, {b, kTime}, normal(0.7))};
  const auto loss = [](const ParamValues& p, const Values& in) {
    const Value share = ops::logistic(in[2]);
    const Value x = ops::sqrt(share) * in[0] + ops::sqrt(1.0 - share) * in[1];
    const Value d = in[1] - predict(p, x, in[3]);
    return ops::mean(d * d);
  };
  Work work = training(table, inputs, loss);
  const size_t n = table.slots().size();
  for (const Slot& p : table.slots()) {
    work.state.push_back(
        slot("ema." + p.name, DType::kF32, p.type.shape.dims(), p.start));
  }
  const auto plain = work.step;
  work.step = [plain, n](const Values& state, const Values& in) -> StepResult {
    const Values own(state.begin(), state.end() - static_cast<long>(n));
    StepResult r = plain(own, in);
    for (size_t i = 0; i < n; ++i) {
      const Value& old = state[own.size() + i];
      r.state.push_back(old + 0.001 * (r.state[i] - old));
    }
    return r;
  };
  return work;
}

}  // namespace kexue::works
