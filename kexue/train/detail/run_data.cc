#include "kexue/train/detail/run_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/limits.h"
#include "kexue/text/character_vocabulary.h"
#include "kexue/train/detail/support.h"
#include "kexue/train/task.h"

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
                  "{} empty, {} with a label that does not fit, {} malformed",
                  file,
                  n.total(),
                  n.missing_column,
                  n.not_utf8,
                  n.empty_text,
                  n.unknown_label,
                  n.malformed));
}

void say_truncated(const RunConfig& c,
                   const Say& say,
                   const std::string& file,
                   int64_t truncated,
                   int64_t rows) {
  if (truncated == 0) return;
  say(fmt::format("{}: {} of {} rows cut to {} tokens",
                  file,
                  truncated,
                  rows,
                  c.max_length));
}

data::Dataset read_rows(const RunConfig& c,
                        const std::string& file,
                        const std::vector<std::string>& classes,
                        const Say& say) {
  data::ReadOptions options = read_options(c);
  options.classes = classes;
  data::Dataset set = data::read_dataset(file, options);
  say_skipped(say, file, set.skipped);
  return set;
}

Split encoded(const RunConfig& c,
              const std::string& name,
              const std::string& file,
              const data::Dataset& set,
              const text::WordPiece& tokenizer,
              const Say& say) {
  auto examples = std::make_shared<data::Examples>(
      data::encode(set, tokenizer, c.max_length));
  say_truncated(c,
                say,
                file,
                examples->truncated,
                static_cast<int64_t>(examples->rows.size()));
  return {name, std::move(examples)};
}

data::LengthBuckets fit_buckets(const RunConfig& c,
                                const RunData& data,
                                int64_t positions) {
  auto lengths = data.train.lengths;
  for (const auto& split : data.splits) {
    if (split.name == "train") continue;
    for (const auto& row : split.examples->rows) {
      ++lengths[static_cast<int64_t>(row.ids.size())];
    }
  }
  auto fitted = data::LengthBuckets::fitted_counts(
                    lengths, c.max_buckets, kBucketMultiple)
                    .lengths();
  // Rounded up to the multiple, the last may pass the position table.
  fitted.back() = std::min(fitted.back(), positions);
  return data::LengthBuckets(std::move(fitted));
}

int64_t parameter_count(const models::LoadedBert& model) {
  int64_t count = 0;
  for (const auto& v : model.values) count += v.size();
  return count;
}

void say_weights(const Say& say, const models::LoadedBert& model) {
  if (!model.fresh.empty()) {
    say(model.fresh.size() == model.values.size()
            ? fmt::format("a new model: {:.2f} million parameters",
                          static_cast<double>(parameter_count(model)) * 1e-6)
            : fmt::format("new parameters: {}", fmt::join(model.fresh, ", ")));
  }
  if (!model.unexpected.empty()) {
    say(fmt::format("{} tensors of the weights are not used, {} among them",
                    model.unexpected.size(),
                    model.unexpected.front()));
  }
}

}  // namespace

namespace {

// Calls f with every text of the training split.
template <class F>
void for_each_text(const RunConfig& c, const data::Dataset& train, F f) {
  if (c.stream) {
    data::ReadOptions options = read_options(c);
    options.labels = data::Labels::kNone;  // the scan checks them
    data::DatasetReader reader(c.train_file, options);
    for (data::LabelledText row; reader.next(&row);) {
      f(row.text);
      f(row.second_text);
    }
    return;
  }
  for (const auto& text : train.texts) f(text);
  for (const auto& text : train.second_texts) f(text);
}

RunData with_tokenizer(const RunConfig& c, const data::Dataset& train) {
  if (!c.model.empty()) {
    return {.tokenizer = text::WordPiece::from_directory(c.model)};
  }
  if (c.vocabulary != "characters") {
    return {.tokenizer = text::WordPiece::from_vocab_file(c.vocabulary),
            .vocab_txt = io::read_file(c.vocabulary, io::limits::kVocabBytes),
            .tokenizer_config = "{\n  \"do_lower_case\": true\n}\n"};
  }
  text::CharacterVocabulary characters;
  for_each_text(c, train, [&](const auto& text) { characters.add(text); });
  return {.tokenizer = characters.tokenizer(c.min_count),
          .vocab_txt = characters.vocab_txt(c.min_count),
          .tokenizer_config = text::CharacterVocabulary::tokenizer_config()};
}

models::BertConfig sizes_of(const RunConfig& c, const RunData& data) {
  models::BertConfig bert;
  bert.vocab = data.tokenizer.vocabulary().size();
  bert.hidden = c.hidden;
  bert.layers = c.layers;
  bert.heads = c.heads;
  bert.inner = c.inner > 0 ? c.inner : 4 * c.hidden;
  bert.positions = c.positions;
  return bert;
}

models::LoadedBert make_model(const RunConfig& c, const RunData& data) {
  const bool masked_lm = c.task == "masked_lm";
  auto labels = data.classes;
  if (c.task == "regress") labels = {"score"};
  const Key key = run_key(c.seed, Purpose::kParameters);
  models::LoadedBert out;
  if (c.model.empty()) {
    models::BertConfig bert = sizes_of(c, data);
    bert.labels = labels;
    bert.masked_lm = masked_lm;
    out = models::fresh_bert(bert, key);
  } else {
    out = models::load_bert(c.model,
                            {.new_labels = labels,
                             .want_classifier = !masked_lm,
                             .masked_lm = masked_lm,
                             .key = key});
  }
  models::BertConfig& bert = out.config;
  bert.dropout = c.dropout;
  bert.attention_dropout = c.dropout;
  const std::string name = c.model.empty() ? "the new model" : c.model;
  check_fits(bert, data.tokenizer, c.max_length, name);
  const bool pairs = c.columns.has_pairs();
  if (pairs && bert.types < 2) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: pairs of texts need two segment types, the "
                            "model has {}",
                            name,
                            bert.types));
  }
  return out;
}

}  // namespace

const Split* RunData::find(const std::string& name) const {
  for (const auto& split : splits) {
    if (split.name == name) return &split;
  }
  return nullptr;
}

Key run_key(uint64_t seed, Purpose purpose) {
  return Key::from_seed(seed).fold_in(static_cast<uint64_t>(purpose));
}

data::ReadOptions read_options(const RunConfig& c) {
  data::ReadOptions o;
  o.columns = c.columns;
  o.labels = labels_of(c.task);
  o.on_bad = c.skip_bad_lines ? data::OnBad::kSkip : data::OnBad::kError;
  return o;
}

RunData read_run_data(const RunConfig& c, const Say& say) {
  data::Dataset train;
  if (!c.stream) train = read_rows(c, c.train_file, {}, say);
  RunData out = with_tokenizer(c, train);
  if (c.stream) {
    out.train = data::scan_dataset(
        c.train_file, read_options(c), out.tokenizer, c.max_length);
    say_skipped(say, c.train_file, out.train.skipped);
    say_truncated(c, say, c.train_file, out.train.truncated, out.train.rows);
    out.classes = out.train.classes;
  } else {
    out.classes = train.classes;
    out.splits.push_back(
        encoded(c, "train", c.train_file, train, out.tokenizer, say));
    out.train = data::scan_of(*out.splits.back().examples,
                              out.tokenizer.vocabulary().size());
  }
  if (c.task == "classify" && out.classes.size() < 2) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "{}: one class only, \"{}\"", c.train_file, out.classes.front()),
        "is data.label_column the right one?");
  }
  for (const auto& [name, file] :
       {std::pair("dev", c.dev_file), std::pair("test", c.test_file)}) {
    if (file.empty()) continue;
    const auto set = read_rows(c, file, out.classes, say);
    out.splits.push_back(encoded(c, name, file, set, out.tokenizer, say));
  }
  out.model = make_model(c, out);
  out.buckets = fit_buckets(c, out, out.model.config.positions);
  say_weights(say, out.model);
  return out;
}

}  // namespace kexue::train::detail
