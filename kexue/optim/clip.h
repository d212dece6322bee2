// Gradient clipping, before the rules see the gradients.
#pragma once

#include <string>
#include <vector>

#include "kexue/ir/value.h"

namespace kexue::optim {

struct Clipped {
  Values grads;
  Value norm;   // of all gradients before clipping, f32[]
  Value scale;  // by which the caller has to multiply; empty: by nothing
};

// hard:  c = min(1, limit / n)        soft: c = 1 / (1 + n / limit)
// value: each element into [-limit, limit], which changes the direction
// with n the norm of all tensors together (global) or of each layer's tensor
// alone (tensor). hard / 2 <= soft <= hard; both keep the direction.
//
// Numerics: sums of squares in f32. A zero gradient stays zero; a limit that is
//           infinite changes no bit. A norm that is not finite is left for the
//           step to see: it is skipped.
// Errors:   kInvalidArgument for no gradients, and (check) for a limit < 0 or
//           NaN. A limit of 0 means no clipping.
// Source:   Pascanu et al. 2013, arXiv:1211.5063 (hard); Zhang et al. 2020,
//           arXiv:1905.11881 (soft is the best rate under (L0,L1) smoothness).
struct ClipOptions {
  enum class Form { kHard, kSoft, kValue };
  enum class Scope { kGlobal, kTensor };
  Form form = Form::kHard;
  Scope scope = Scope::kGlobal;
  double limit = 1.0;
  double eps = 0;  // added to n, hard form only: 1e-6 is PyTorch's
  bool operator==(const ClipOptions&) const = default;
};
void check(const ClipOptions& options);
// `stacks`: leading layer dimensions of each gradient; empty: none has any.
Clipped clip(const Values& grads,
             const ClipOptions& options,
             const std::vector<int64_t>& stacks = {});

// "hard", "soft", "value"; "global", "tensor".
// Errors: kInvalidArgument listing the names.
ClipOptions::Form clip_form_from_name(const std::string& name);
ClipOptions::Scope clip_scope_from_name(const std::string& name);

// The hard global form, applied: `grads` are clipped, `scale` is that by which
// they were.
Clipped clip_by_global_norm(const Values& grads, double limit);

}  // namespace kexue::optim
