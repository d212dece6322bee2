#include "kexue/train/detail/run_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/train/detail/support.h"

namespace kexue::train::detail {
namespace {

using Say = std::function<void(const std::string&)>;

constexpr int64_t kBucketMultiple = 16;

void say_skipped(const Say& say,
                 const std::string& file,
                 const data::SkipCounts& n) {
  if (n.total() == 0) return;
  say(
      fmt::format("{}: {} lines skipped: {} without the column, {} not UTF-8, "
                  "{} empty, {} with an unknown label",
                  file,
                  n.total(),
                  n.missing_column,
                  n.not_utf8,
                  n.empty_text,
                  n.unknown_label));
}

Split read_split(const RunConfig& c,
                 const std::string& name,
                 const std::string& file,
                 const text::WordPiece& tokenizer,
                 std::vector<std::string>& classes,
                 const Say& say) {
  data::TsvOptions options;
  options.label_column = c.label_column;
  options.text_column = c.text_column;
  options.second_text_column = c.second_text_column;
  options.classes = classes;
  options.on_bad = c.skip_bad_lines ? data::OnBad::kSkip : data::OnBad::kError;
  data::Dataset set = data::read_tsv(file, options);
  say_skipped(say, file, set.skipped);
  if (classes.empty()) classes = set.classes;
  auto examples = std::make_shared<data::Examples>(
      data::encode(set, tokenizer, c.max_length));
  if (examples->truncated > 0) {
    say(fmt::format("{}: {} of {} rows cut to {} tokens",
                    file,
                    examples->truncated,
                    examples->rows.size(),
                    c.max_length));
  }
  return {name, std::move(examples)};
}

data::LengthBuckets fit_buckets(const RunConfig& c,
                                const std::vector<Split>& splits,
                                int64_t positions) {
  std::vector<int64_t> lengths;
  for (const auto& split : splits) {
    for (const auto& row : split.examples->rows) {
      lengths.push_back(static_cast<int64_t>(row.ids.size()));
    }
  }
  auto fitted =
      data::LengthBuckets::fitted(lengths, c.max_buckets, kBucketMultiple)
          .lengths();
  // Rounded up to the multiple, the last may pass the position table.
  fitted.back() = std::min(fitted.back(), positions);
  return data::LengthBuckets(std::move(fitted));
}

void say_weights(const Say& say, const models::LoadedBert& model) {
  if (!model.fresh.empty()) {
    say(fmt::format("new parameters: {}", fmt::join(model.fresh, ", ")));
  }
  if (!model.unexpected.empty()) {
    say(fmt::format("{} tensors of the weights are not used, {} among them",
                    model.unexpected.size(),
                    model.unexpected.front()));
  }
}

}  // namespace

const Split* RunData::find(const std::string& name) const {
  for (const auto& split : splits) {
    if (split.name == name) return &split;
  }
  return nullptr;
}

Key run_key(const RunConfig& config, Purpose purpose) {
  return Key::from_seed(config.seed).fold_in(static_cast<uint64_t>(purpose));
}

RunData read_run_data(const RunConfig& c, const Say& say) {
  RunData out;
  const auto tokenizer = text::WordPiece::from_directory(c.model);
  out.pad_id = tokenizer.pad_id();
  const auto add = [&](const char* name, const std::string& file) {
    if (file.empty()) return;
    out.splits.push_back(
        read_split(c, name, file, tokenizer, out.classes, say));
  };
  add("train", c.train_file);
  if (out.classes.size() < 2) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "{}: one class only, \"{}\"", c.train_file, out.classes.front()),
        "is data.label_column the right one?");
  }
  add("dev", c.dev_file);
  add("test", c.test_file);
  out.model = models::load_bert(c.model,
                                {.new_labels = out.classes,
                                 .want_classifier = true,
                                 .key = run_key(c, Purpose::kClassifier)});
  models::BertConfig& bert = out.model.config;
  bert.dropout = c.dropout;
  bert.attention_dropout = c.dropout;
  check_fits(bert, tokenizer, c.max_length, c.model);
  if (c.second_text_column >= 0 && bert.types < 2) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: pairs of texts need two segment types, the "
                            "model has {}",
                            c.model,
                            bert.types));
  }
  out.buckets = fit_buckets(c, out.splits, bert.positions);
  say_weights(say, out.model);
  return out;
}

}  // namespace kexue::train::detail
