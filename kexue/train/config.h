// A training run as a TOML file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kexue/base/dtype.h"
#include "kexue/data/dataset.h"
#include "kexue/train/parallel.h"
#include "kexue/train/step.h"

namespace kexue::train {

// Every key with its default: keys in the file have the members' names (less
// the section's) and stand in the sections given here. Unknown keys are errors
// that name the nearest known one, with file and line.
struct RunConfig {
  // [model]: a pretrained folder, or the sizes of a new BERT
  std::string model;
  int64_t layers = 0;
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t inner = 0;  // 0 = 4 hidden
  int64_t positions = 512;
  // Of a new model: a vocab.txt, or "characters" for those of the training
  // texts, less the ones seen less often than min_count.
  std::string vocabulary = "characters";
  int64_t min_count = 1;
  // [data]
  std::string train_file;  // TSV, CSV, JSONL, or a folder; required
  std::string dev_file;    // "" = none
  std::string test_file;   // "" = none
  data::Columns columns;   // label_column, text_column, ...
  // Training rows are read again in every epoch in place of being held in
  // memory, and shuffled in a buffer of that many rows.
  bool stream = false;
  int64_t shuffle_buffer = 16384;
  int64_t max_length = 128;
  int64_t max_buckets = 6;  // recompile budget: programs for the step
  bool skip_bad_lines = false;
  // [train]
  std::string task = "classify";  // classify, regress, masked_lm
  int64_t epochs = 2;
  int64_t batch_size = 32;
  double lr = 5e-5;
  double warmup_ratio = 0.1;  // of all steps
  double weight_decay = 0.01;
  double clip_norm = 1.0;
  double dropout = 0.1;             // hidden and attention
  std::string precision = "bf16";   // f32 bf16 fp16
  std::string loss_scale = "none";  // none, dynamic, or a number; fp16 only
  bool force_loss_scale = false;    // in f32 and bf16, too
  bool unscale = true;         // gradients, before clipping and the optimizer
  int64_t max_skips = 100;     // steps in a row: then the run stops
  double min_loss_scale = 1;   // dynamic, falling below this: the same
  bool group_metrics = false;  // gradient norm, zeros, moves of each group
  uint64_t seed = 0;
  int64_t max_steps = 0;       // 0 = all epochs
  int64_t accumulate = 1;      // batches a step
  int64_t eval_every = 0;      // steps; 0 = at the end of each epoch
  int64_t save_every = 0;      // steps between checkpoints; 0 = at the end only
  std::string remat = "none";  // none, or layer: recompute each layer
  // [optimizer]: see make_optimizer.h
  optim::OptionList optimizer;
  // [early_stop]
  int64_t patience = 0;  // evaluations of dev without a better one; 0 = off
  std::string stop_metric = "loss";
  std::string stop_mode = "auto";  // min, max; auto: max but for losses
  // [classify]: "none", "auto" (rows / (classes rows of the class)), or one
  // positive number a class, in the order of the sorted labels
  std::string class_weights = "none";
  // [regress]
  double sign_margin = 0;  // sign accuracy leaves out |score| below it, and 0
  // [masked_lm]
  std::string mask_style = "roberta";  // or "bert"
  double mask_probability = 0.15;
  int64_t max_predictions = 20;  // of a row; bert only
  bool whole_words = true;
  // [mesh]: keys data, model, zero, split_vocabulary
  int64_t mesh_data = 1;   // devices that share a batch
  int64_t mesh_model = 1;  // devices that share each layer
  int64_t mesh_zero = 0;   // along data: 1 = slots split, 3 = parameters too
  bool mesh_split_vocabulary = false;  // word table along model
  // [run]
  std::string folder;                  // "" = runs/<name of the config>-<date>
  std::string resume = "none";         // none, auto, or a step folder
  int64_t keep_last = 2;               // checkpoints, beside the best
  std::string on_save_error = "stop";  // or continue
  bool events = true;                  // event files for TensorBoard
  std::string registry = "runs/registry.sqlite";  // "" = not registered

  bool operator==(const RunConfig&) const = default;
};

// Paths in the file are relative to the working directory. An empty folder is
// that of the checkpoint to go on from, or filled in from the name of the file
// and the clock.
//
// `settings` ("train.lr=2e-5") come in place of the file's values; what is no
// TOML value is text.
//
// Errors: kNotFound, kInvalidArgument with file:line, key, what was wanted;
//         kUnsupported above 1 MiB.
RunConfig read_run_config(const std::string& path,
                          const std::vector<std::string>& settings = {});
// The same for a config that was put together or changed by hand.
// Errors: kInvalidArgument with key and what was wanted.
void check_run_config(const RunConfig& config);
// "runs/<name>-<date>-<time>", local time.
std::string dated_run_folder(const std::string& name);
// The resolved config as TOML that reads back equal.
std::string to_toml(const RunConfig& config);

// What [mesh] says, with BERT's rules; no mesh if it is one device.
Parallel parallel_of(const RunConfig& config);

// "f32", "bf16", "fp16"/"f16". Errors: kInvalidArgument listing the names.
DType precision_from_name(const std::string& name);
// Empty for "none" and "auto".
// Errors: kInvalidArgument unless those, or positive numbers between commas.
std::vector<double> class_weights_from_text(const std::string& text);
// Errors: kInvalidArgument unless "none", "dynamic" or a positive number.
LossScale loss_scale_from_name(const std::string& text);

}  // namespace kexue::train
