// Training-time changes of any task's loss.
#pragma once

#include <cstdint>
#include <string>

#include "kexue/nn/param.h"
#include "kexue/train/step.h"

namespace kexue::train {

// What they may do, all at once if wanted:
//   r_drop            of two predictions a, b under dropout masks of their own
//                     (losses::r_drop): the mean of both losses + r_drop / 4
//                     (KL(a || b) + KL(b || a))
//   gradient_penalty  adds gradient_penalty / 2 |G|^2 to that
//   fgm               takes the gradient of that at table + fgm G / |G|
//                     (losses::fgm); with fgm_add_clean both are added
//   vat               adds vat times losses::vat, at a perturbation of the
//                     length vat_size
// with G the gradient of the mean loss with respect to one parameter, `table`,
// an embedding table as a rule.
//
// The loss is traced once for each prediction that it takes, with dropout masks
// of its own each time: twice for r_drop, twice as often for fgm, and
// vat_iterations + 1 times for vat. The metrics are those of the first, clean
// one. r_drop and vat want a loss that tells its logits.
struct LossTransform {
  std::string table = "embeddings.word";  // a part of one parameter's name
  double fgm = 0;                         // 0: off
  bool fgm_add_clean = false;
  double gradient_penalty = 0;  // 0: off
  double r_drop = 0;            // 0: off
  double vat = 0;               // 0: off
  double vat_size = 1;
  double vat_xi = 10;  // length of the steps that look for the direction
  int64_t vat_iterations = 1;

  bool active() const { return moves_table() || r_drop > 0; }
  bool moves_table() const {
    return fgm > 0 || gradient_penalty > 0 || vat > 0;
  }
  bool compares() const { return r_drop > 0 || vat > 0; }
};

// Errors: kInvalidArgument naming the member that is out of its range.
void check(const LossTransform& transform);
// `loss` itself if nothing is active.
// Errors: kInvalidArgument unless exactly one parameter's name has the part
//         (with those that do), and as check(). While the loss is traced,
//         kInvalidArgument if it has no logits and they are wanted.
LossFunction transformed(LossFunction loss,
                         const nn::ParamList& params,
                         const LossTransform& transform);

}  // namespace kexue::train
