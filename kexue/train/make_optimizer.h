// What a run's configuration says about its updates.
#pragma once

#include "kexue/optim/optim.h"
#include "kexue/train/config.h"
#include "kexue/train/loss_transforms.h"

namespace kexue::train {

struct UpdatePlan {
  optim::OptimizerPtr optimizer;
  optim::Schedule schedule;
  optim::ClipOptions clip;
  LossTransform loss;
};

// [optimizer] holds the options of one rule, by their names (optim::make):
//   name = "adamw"
//   schedule = "linear"       # see optim::Schedule
//   schedule_points = {}      # of "piecewise": {1000 = 1, 2000 = 0.1}
//   schedule_floor = 0        # of "cosine"
//   clip = "hard"             # hard, soft, value; its limit is train.clip_norm
//   clip_scope = "global"     # global, tensor
//   clip_eps = 0
//   fgm = 0                   # and the others: see LossTransform
//   fgm_add_clean = false
//   gradient_penalty = 0
//   r_drop = 0                # not of "regress", as vat
//   vat = 0
//   vat_size = 1
//   vat_xi = 10
//   vat_iterations = 1
//   perturb = "embeddings.word"
// Every other key is an option of the rule. A weight decay that is not given
// is train.weight_decay.
//
// Errors: kInvalidArgument with file:line, key, and the names that there are.
UpdatePlan make_optimizer(const RunConfig& config);

}  // namespace kexue::train
