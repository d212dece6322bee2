// The keys of a run's TOML file and their limits. Private to kexue/train.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/train/config.h"

namespace kexue::train::detail {

inline constexpr double kInf = std::numeric_limits<double>::infinity();

// What a value must be, beside its type.
enum class Text { kAny, kNeeded, kPrecision, kLossScale, kClassWeights };
using Names = std::vector<const char*>;  // one of them
struct Whole {
  int64_t low, high;
};
struct Real {
  double low, high;       // both allowed...
  bool open_low = false;  // ...but these
  bool open_high = false;
};

inline constexpr Whole kCount{1, int64_t{1} << 40};
inline constexpr Whole kColumn{0, 4095};
inline constexpr Whole kAxis{1, 1024};

// Every key, once. V is called with (section, key, member, limits).
template <class Config, class V>
void visit_keys(Config& c, V&& v) {
  v("model", "model", c.model, Text::kAny);
  v("model", "layers", c.layers, Whole{0, 4096});
  v("model", "hidden", c.hidden, Whole{0, 1 << 16});
  v("model", "heads", c.heads, Whole{0, 1 << 12});
  v("model", "inner", c.inner, Whole{0, 1 << 20});
  v("model", "positions", c.positions, Whole{3, 1 << 20});
  v("model", "vocabulary", c.vocabulary, Text::kNeeded);
  v("model", "min_count", c.min_count, kCount);
  v("data", "train_file", c.train_file, Text::kNeeded);
  v("data", "dev_file", c.dev_file, Text::kAny);
  v("data", "test_file", c.test_file, Text::kAny);
  v("data", "label_column", c.columns.label, kColumn);
  v("data", "text_column", c.columns.text, kColumn);
  v("data", "second_text_column", c.columns.second_text, Whole{-1, 4095});
  v("data", "header", c.columns.header, false);
  v("data", "label_field", c.columns.label_field, Text::kAny);
  v("data", "text_field", c.columns.text_field, Text::kNeeded);
  v("data", "second_text_field", c.columns.second_text_field, Text::kAny);
  v("data", "stream", c.stream, false);
  v("data", "shuffle_buffer", c.shuffle_buffer, kCount);
  v("data", "max_length", c.max_length, Whole{3, 1 << 20});
  v("data", "max_buckets", c.max_buckets, Whole{1, 64});
  v("data", "skip_bad_lines", c.skip_bad_lines, false);
  v("train", "task", c.task, Names{"classify", "regress", "masked_lm"});
  v("train", "epochs", c.epochs, kCount);
  v("train", "batch_size", c.batch_size, Whole{1, 1 << 20});
  v("train", "lr", c.lr, Real{0, kInf, true, true});
  v("train", "warmup_ratio", c.warmup_ratio, Real{0, 1});
  v("train", "weight_decay", c.weight_decay, Real{0, kInf, false, true});
  v("train", "clip_norm", c.clip_norm, Real{0, kInf, false, true});
  v("train", "dropout", c.dropout, Real{0, 1, false, true});
  v("train", "precision", c.precision, Text::kPrecision);
  v("train", "loss_scale", c.loss_scale, Text::kLossScale);
  v("train", "force_loss_scale", c.force_loss_scale, false);
  v("train", "unscale", c.unscale, false);
  v("train", "max_skips", c.max_skips, kCount);
  v("train", "min_loss_scale", c.min_loss_scale, Real{0, kInf, false, true});
  v("train", "group_metrics", c.group_metrics, false);
  v("train", "seed", c.seed, false);
  v("train", "max_steps", c.max_steps, Whole{0, int64_t{1} << 30});
  v("train", "accumulate", c.accumulate, Whole{1, 1 << 20});
  v("train", "eval_every", c.eval_every, Whole{0, int64_t{1} << 30});
  v("train", "save_every", c.save_every, Whole{0, int64_t{1} << 30});
  v("train", "remat", c.remat, Names{"none", "layer"});
  v("early_stop", "patience", c.patience, Whole{0, 1 << 30});
  v("early_stop", "metric", c.stop_metric, Text::kNeeded);
  v("early_stop", "mode", c.stop_mode, Names{"auto", "min", "max"});
  v("classify", "class_weights", c.class_weights, Text::kClassWeights);
  v("regress", "sign_margin", c.sign_margin, Real{0, kInf, false, true});
  v("masked_lm", "style", c.mask_style, Names{"roberta", "bert"});
  v("masked_lm", "probability", c.mask_probability, Real{0, 1, true, true});
  v("masked_lm", "max_predictions", c.max_predictions, kCount);
  v("masked_lm", "whole_words", c.whole_words, false);
  v("mesh", "data", c.mesh_data, kAxis);
  v("mesh", "model", c.mesh_model, kAxis);
  v("mesh", "zero", c.mesh_zero, Whole{0, 3});
  v("mesh", "split_vocabulary", c.mesh_split_vocabulary, false);
  v("run", "folder", c.folder, Text::kAny);
  v("run", "resume", c.resume, Text::kNeeded);
  v("run", "keep_last", c.keep_last, Whole{1, 1 << 20});
  v("run", "on_save_error", c.on_save_error, Names{"stop", "continue"});
  v("run", "events", c.events, false);
  v("run", "registry", c.registry, Text::kAny);
}

// Throws what is wrong with a value; `where` is "file:line: " or "".
class Check final {
 public:
  explicit Check(std::string where) : where_(std::move(where)) {}

  void operator()(const char* section,
                  const char* key,
                  const std::string& value,
                  Text kind) const;
  void operator()(const char* section,
                  const char* key,
                  const std::string& value,
                  const Names& names) const;
  void operator()(const char* section,
                  const char* key,
                  int64_t value,
                  Whole limit) const;
  void operator()(const char* section,
                  const char* key,
                  double value,
                  Real limit) const;
  void operator()(const char* section,
                  const char* key,
                  uint64_t value,
                  bool) const;
  void operator()(const char*, const char*, bool, bool) const {}

  [[noreturn]] void fail(const char* section,
                         const char* key,
                         const std::string& wanted,
                         const std::string& got) const;

 private:
  std::string where_;
};

// Rules between keys.
void check_together(const RunConfig& config, const std::string& where);

}  // namespace kexue::train::detail
