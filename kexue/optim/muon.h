// Muon.
#pragma once

#include <vector>

#include "kexue/optim/optimizer.h"

namespace kexue::optim {

// b = mu b + (1-mu) g; c = (1-mu) g + mu b (Nesterov) or b;
// d = a orthogonal(c), with orthogonal(c) near U V^T for c = U S V^T:
//   x = c / max(|c|_F, eps), then `steps` times
//   x <- 3.4445 x - 4.7750 (x x^T) x + 2.0315 (x x^T)^2 x
// (transposed first if c has more rows than columns), and for weights [out,in]
//   a = sqrt(max(1, out/in)) (kOriginal), or 0.2 sqrt(max(out, in)) (kMatchRms,
//   the size of AdamW's updates, so that its rates can be used).
//
// For matrices alone: slices of any other rank are errors (see hidden_matrix).
// Numerics: singular values end between 0.7 and 1.2, not at 1. Products follow
//           the precision policy: bf16 under bf16, as in PyTorch.
// Source:   Jordan 2024, kellerjordan.github.io/posts/muon; Liu et al. 2025,
//           arXiv:2502.16982 (kMatchRms).
struct MuonOptions {
  enum class Scale { kOriginal, kMatchRms };
  double momentum = 0.95;
  bool nesterov = true;
  int64_t steps = 5;
  double eps = 1e-7;
  Scale scale = Scale::kMatchRms;
};
class Muon final : public Rule {
 public:
  // Errors: kInvalidArgument for options outside of their ranges.
  explicit Muon(MuonOptions options);
  // Errors: kInvalidArgument for what is no matrix.
  std::vector<Slot> slots(const Target& target) const override;
  Values direction(const Update& update) const override;

 private:
  MuonOptions options_;
};

// Whether Muon should have it: a matrix whose name has none of `others`
// (embeddings and heads, which are better with AdamW).
bool hidden_matrix(const Target& target,
                   const std::vector<std::string>& others = {
                       "embeddings", "classifier", "head"});

// The iteration alone. x f[...,m,n] -> f[...,m,n]
Value newton_schulz(const Value& x, int64_t steps, double eps);

}  // namespace kexue::optim
