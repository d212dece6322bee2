#include "kexue/train/inference.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <map>

#include "kexue/base/error.h"
#include "kexue/data/batcher.h"
#include "kexue/models/bert_files.h"
#include "kexue/train/detail/masked_tokens.h"
#include "kexue/train/detail/run_data.h"
#include "kexue/train/detail/support.h"
#include "kexue/train/engine.h"

namespace kexue::train {
namespace {

using Clock = std::chrono::steady_clock;
using Forward = std::function<Values(const BatchValues&)>;

constexpr int64_t kMostTokens = 512;  // unless the caller says more
constexpr int64_t kBucketMultiple = 16;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The same model without what comes after the encoder. Its parameters are the
// first ones of the whole model.
models::BertConfig without_head(models::BertConfig config) {
  config.pooler = false;
  config.labels.clear();
  return config;
}

models::LoadedBert load(const std::string& folder, Head head) {
  models::LoadedBert out =
      models::load_bert(folder,
                        {.new_labels = {},
                         .want_classifier = head == Head::kClassifier,
                         .masked_lm = head == Head::kMaskedLm,
                         .key = {}});
  if (!out.fresh.empty()) {
    throw Error(
        Code::kNotFound,
        fmt::format("{}: the model has no head for masked tokens", folder),
        "train one: train.task = \"masked_lm\"");
  }
  return out;
}

// Texts without labels. kInvalidArgument unless pairs are complete.
data::Dataset dataset_of(const char* what,
                         const std::vector<std::string>& texts,
                         const std::vector<std::string>& second_texts) {
  if (!second_texts.empty() && second_texts.size() != texts.size()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: {} texts, but {} second texts",
                            what,
                            texts.size(),
                            second_texts.size()));
  }
  data::Dataset set;
  set.texts = texts;
  set.second_texts = second_texts;
  return set;
}

int64_t token_limit(const InferenceOptions& options,
                    const models::BertConfig& config) {
  if (options.batch_size < 1 || options.max_buckets < 1 ||
      options.max_length < 0) {
    throw Error(Code::kInvalidArgument,
                fmt::format("inference: batch_size and max_buckets must be at "
                            "least 1, max_length at least 0, got {}, {}, {}",
                            options.batch_size,
                            options.max_buckets,
                            options.max_length));
  }
  return options.max_length > 0 ? options.max_length
                                : std::min(config.positions, kMostTokens);
}

}  // namespace

struct Inference::State {
  State(const runtime::Session& s,
        const std::string& folder,
        const InferenceOptions& o,
        Head head)
      : session(s),
        options(o),
        tokenizer(text::WordPiece::from_directory(folder)),
        loaded(load(folder, head)),
        max_length(token_limit(o, loaded.config)),
        whole({.config = loaded.config}),
        encoder({.config = without_head(loaded.config)}) {
    detail::check_fits(loaded.config, tokenizer, max_length, folder);
  }

  // Runs f on batches of the texts, in buckets of their lengths: `prepare` may
  // change a batch before, `take` gets it with what f gave.
  using Prepare = std::function<void(data::Minibatch&)>;
  using Take = std::function<void(const data::Minibatch&, const HostArray&)>;
  void for_each_batch(const std::string& name,
                      models::Bert& model,
                      const Forward& f,
                      const data::Dataset& texts,
                      const Prepare& prepare,
                      const Take& take);
  // Rows of f(batch), one for each text, in their order.
  std::vector<std::vector<float>> run(const std::string& name,
                                      models::Bert& model,
                                      const Forward& f,
                                      const data::Dataset& texts);
  const runtime::Program& program(const std::string& name,
                                  const nn::ParamList& params,
                                  const Forward& f,
                                  const HostBatch& batch);
  // The first `count` parameters on the device, uploaded at first use.
  void need(size_t count);
  data::LengthBuckets buckets(const data::Examples& examples) const;

  const runtime::Session& session;
  InferenceOptions options;
  text::WordPiece tokenizer;
  models::LoadedBert loaded;
  int64_t max_length;
  models::Bert whole, encoder;
  std::vector<runtime::DeviceArray> weights;
  std::map<std::string, std::unique_ptr<runtime::Program>> programs;
  InferenceReport report;
};

void Inference::State::need(size_t count) {
  while (weights.size() < count) {
    // Kept alive by the buffer, and never written: no copy is needed.
    weights.push_back(session.client().to_device(
        loaded.values.at(weights.size()), 0, pjrt::HostSemantics::kZeroCopy));
  }
}

const runtime::Program& Inference::State::program(const std::string& name,
                                                  const nn::ParamList& params,
                                                  const Forward& f,
                                                  const HostBatch& batch) {
  auto& slot = programs[name + batch.at("ids").shape().str()];
  if (!slot) {
    const auto begin = Clock::now();
    const auto graph = build_forward(params, f, types_of(batch));
    runtime::CompileOptions compile;
    compile.compute = options.compute;
    detail::explain_dtype(session, options.compute, [&] {
      slot =
          std::make_unique<runtime::Program>(session.compile(*graph, compile));
    });
    ++report.programs;
    report.compile_s += seconds_since(begin);
  }
  return *slot;
}

data::LengthBuckets Inference::State::buckets(
    const data::Examples& examples) const {
  std::vector<int64_t> lengths;
  for (const auto& row : examples.rows) {
    lengths.push_back(static_cast<int64_t>(row.ids.size()));
  }
  auto fitted =
      data::LengthBuckets::fitted(lengths, options.max_buckets, kBucketMultiple)
          .lengths();
  fitted.back() = std::min(fitted.back(), loaded.config.positions);
  return data::LengthBuckets(std::move(fitted));
}

void Inference::State::for_each_batch(const std::string& name,
                                      models::Bert& model,
                                      const Forward& f,
                                      const data::Dataset& texts,
                                      const Prepare& prepare,
                                      const Take& take) {
  if (texts.size() == 0) return;
  auto examples = std::make_shared<data::Examples>(
      data::encode(texts, tokenizer, max_length));
  report.truncated += examples->truncated;
  const auto params = model.parameters();
  need(params.size());
  // A few texts do not pay for a batch of many rows.
  const auto few = static_cast<int64_t>(std::bit_ceil(texts.size()));
  data::Batcher batches(examples,
                        buckets(*examples),
                        {.batch_size = std::min(options.batch_size, few),
                         .shuffle = false,
                         .pad_id = tokenizer.pad_id()});
  for (int64_t i = 0; i < batches.batches_per_epoch(); ++i) {
    auto batch = batches.next();
    batch.arrays.erase("label");
    batch.arrays.erase("weight");
    prepare(batch);
    const auto& compiled = program(name, params, f, batch.arrays);
    const auto begin = Clock::now();
    std::vector<runtime::DeviceArray> fields;
    for (const auto& [_, array] : batch.arrays) {
      fields.push_back(session.to_device(array));
    }
    std::vector<const runtime::DeviceArray*> args;
    for (size_t k = 0; k < params.size(); ++k) args.push_back(&weights[k]);
    for (const auto& field : fields) args.push_back(&field);
    const HostArray result = compiled.run(args).at(0).to_host();
    report.run_s += seconds_since(begin);
    take(batch, result);
  }
}

std::vector<std::vector<float>> Inference::State::run(
    const std::string& name,
    models::Bert& model,
    const Forward& f,
    const data::Dataset& texts) {
  std::vector<std::vector<float>> out(texts.size());
  const auto take = [&](const data::Minibatch& batch, const HostArray& rows) {
    const auto width = static_cast<size_t>(rows.shape()[1]);
    for (size_t r = 0; r < batch.rows.size(); ++r) {
      if (batch.rows[r] < 0) continue;
      const auto values = rows.span<float>().subspan(r * width, width);
      out[static_cast<size_t>(batch.rows[r])].assign(values.begin(),
                                                     values.end());
    }
  };
  for_each_batch(
      name, model, f, texts, [](data::Minibatch&) {}, take);
  return out;
}

Inference::Inference(const runtime::Session& session,
                     const std::string& folder,
                     const InferenceOptions& options,
                     Head head)
    : state_(std::make_unique<State>(session, folder, options, head)) {}

Inference::~Inference() = default;

const models::BertConfig& Inference::config() const {
  return state_->loaded.config;
}
const text::WordPiece& Inference::tokenizer() const {
  return state_->tokenizer;
}
const InferenceReport& Inference::report() const {
  return state_->report;
}

std::vector<std::vector<float>> Inference::embed(
    const std::vector<std::string>& texts, models::Bert::Pooling pooling) {
  models::Bert& model = state_->encoder;
  const bool mean = pooling == models::Bert::Pooling::kMean;
  return state_->run(
      mean ? "mean" : "cls",
      model,
      [&](const BatchValues& b) -> Values {
        return {model.embed(detail::bert_inputs(b), pooling)};
      },
      dataset_of("embed", texts, {}));
}

std::vector<std::vector<float>> Inference::logits(
    const std::vector<std::string>& texts,
    const std::vector<std::string>& second_texts) {
  models::Bert& model = state_->whole;
  return state_->run(
      "logits",
      model,
      [&](const BatchValues& b) -> Values {
        return {model.classify(detail::bert_inputs(b))};
      },
      dataset_of("logits", texts, second_texts));
}

MaskedScore Inference::masked_tokens(
    const std::vector<std::string>& texts,
    const std::vector<std::string>& second_texts,
    const data::MaskOptions& options,
    uint64_t seed) {
  const Key key = detail::run_key(seed, detail::Purpose::kEvalMask);
  const data::Masking masking(state_->tokenizer, options);
  models::Bert& model = state_->whole;
  MaskedScore score;
  state_->for_each_batch(
      "masked",
      model,
      [&](const BatchValues& b) -> Values {
        return {detail::token_sums(detail::guess_tokens(model, b))};
      },
      dataset_of("masked_tokens", texts, second_texts),
      [&](data::Minibatch& batch) { detail::mask_batch(masking, key, &batch); },
      [&](const data::Minibatch&, const HostArray& sums) {
        score.loss += sums.at(0);
        score.right += std::llround(sums.at(1));
        score.tokens += std::llround(sums.at(2));
      });
  return score;
}

std::vector<double> probabilities(const std::vector<float>& logits) {
  std::vector<double> out(logits.begin(), logits.end());
  if (out.empty()) return out;
  const double largest = *std::max_element(out.begin(), out.end());
  double sum = 0;
  for (double& x : out) sum += x = std::exp(x - largest);
  for (double& x : out) x /= sum;
  return out;
}

}  // namespace kexue::train
