// Training-time changes of any task's loss.
#pragma once

#include <string>

#include "kexue/nn/param.h"
#include "kexue/train/step.h"

namespace kexue::train {

// Both act on one parameter, an embedding table as a rule, and may go together:
//   fgm               the gradient is taken at table + fgm G / |G|
//                     (losses::fgm); with fgm_add_clean both are added
//   gradient_penalty  adds gradient_penalty / 2 |G|^2 to the loss
// with G the gradient of the mean loss with respect to the table.
//
// The loss is traced two times, with dropout masks of its own each time; its
// metrics are those of the first, clean pass.
struct LossTransform {
  std::string table = "embeddings.word";  // a part of one parameter's name
  double fgm = 0;                         // 0: off
  bool fgm_add_clean = false;
  double gradient_penalty = 0;  // 0: off

  bool active() const { return fgm > 0 || gradient_penalty > 0; }
};

// Errors: kInvalidArgument for sizes < 0.
void check(const LossTransform& transform);
// `loss` itself if nothing is active.
// Errors: kInvalidArgument unless exactly one parameter's name has the part
//         (with those that do), and as check().
LossFunction transformed(LossFunction loss,
                         const nn::ParamList& params,
                         const LossTransform& transform);

}  // namespace kexue::train
