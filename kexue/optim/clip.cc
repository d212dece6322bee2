#include "kexue/optim/clip.h"

#include <fmt/format.h>

#include <cmath>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"
#include "kexue/optim/optimizer.h"

namespace kexue::optim {
namespace {

using Form = ClipOptions::Form;
using Scope = ClipOptions::Scope;

// c for a norm, or for one norm per layer.
Value factor(const Value& norm, const ClipOptions& o) {
  if (o.form == Form::kSoft) return 1.0 / (1.0 + norm * (1.0 / o.limit));
  const Value n = o.eps > 0 ? norm + o.eps : norm;
  return 1.0 / ops::maximum(n * (1.0 / o.limit), ops::ones_like(n));
}

Value global_norm(const Values& grads) {
  Value squares;
  for (const Value& g : grads) {
    const Value s = ops::sum(g * g);
    squares = squares ? squares + s : s;
  }
  if (!squares) throw Error(Code::kInvalidArgument, "clip: no gradients");
  return ops::sqrt(squares);
}

}  // namespace

void check(const ClipOptions& o) {
  if (o.limit >= 0 && o.eps >= 0) return;
  throw Error(
      Code::kInvalidArgument,
      fmt::format("clip: wants a limit >= 0 (0: off) and eps >= 0, got {}, {}",
                  o.limit,
                  o.eps));
}

Clipped clip(const Values& grads,
             const ClipOptions& o,
             const std::vector<int64_t>& stacks) {
  check(o);
  const Value norm = global_norm(grads);
  if (o.limit == 0 || std::isinf(o.limit)) return {grads, norm, {}};
  const bool whole = o.scope == Scope::kGlobal && o.form != Form::kValue;
  if (whole) return {grads, norm, factor(norm, o)};
  Values out;
  for (size_t i = 0; i < grads.size(); ++i) {
    const Value& g = grads[i];
    const int64_t stack = stacks.empty() ? 0 : stacks.at(i);
    out.push_back(o.form == Form::kValue ? ops::clamp(g, -o.limit, o.limit)
                                         : g * factor(slice_norm(g, stack), o));
  }
  return {out, norm, {}};
}

Form clip_form_from_name(const std::string& name) {
  if (name == "hard") return Form::kHard;
  if (name == "soft") return Form::kSoft;
  if (name == "value") return Form::kValue;
  throw Error(Code::kInvalidArgument,
              "clip form must be hard, soft or value, got \"" + name + '"');
}

Scope clip_scope_from_name(const std::string& name) {
  if (name == "global") return Scope::kGlobal;
  if (name == "tensor") return Scope::kTensor;
  throw Error(Code::kInvalidArgument,
              "clip scope must be global or tensor, got \"" + name + '"');
}

Clipped clip_by_global_norm(const Values& grads, double limit) {
  Clipped out = clip(grads, {.limit = limit > 0 ? limit : 0});
  if (!out.scale) return out;
  for (Value& g : out.grads) g = g * out.scale;
  return out;
}

}  // namespace kexue::optim
