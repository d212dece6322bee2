// kexue demo: the project's main job on real data, start to finish.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "kexue/cli/commands.h"
#include "kexue/cli/demo_report.h"
#include "kexue/cli/demo_timing.h"
#include "kexue/cli/demo_warm_start.h"
#include "kexue/cli/progress.h"
#include "kexue/cli/signals.h"
#include "kexue/cli/text_output.h"
#include "kexue/data/dataset.h"
#include "kexue/data/naive_bayes.h"
#include "kexue/io/atomic_file.h"
#include "kexue/kernels/parallel.h"
#include "kexue/runtime/cache.h"
#include "kexue/train/config.h"
#include "kexue/train/fine_tune.h"
#include "kexue/train/inference.h"

namespace kexue::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kInterrupted = 130;
// --quick: short texts and few steps, so that it ends within two minutes.
constexpr int64_t kQuickSteps = 80;
constexpr int64_t kQuickBuckets = 2;
constexpr int64_t kQuickLength = 64;

// Praise of a book, a complaint about a hotel, praise of a screen; the README
// shows how to type them.
constexpr std::array<const char*, 3> kSentences = {
    "\u8fd9\u672c\u4e66\u5199\u5f97\u771f\u597d\uff0c\u6211\u4e00\u53e3\u6c14"
    "\u8bfb\u5b8c\u4e86\uff0c\u63a8\u8350\u7ed9\u5927\u5bb6\u3002",
    "\u623f\u95f4\u53c8\u5c0f\u53c8\u810f\uff0c\u670d\u52a1\u6001\u5ea6\u4e5f"
    "\u5dee\uff0c\u518d\u4e5f\u4e0d\u4f1a\u6765\u4e86\u3002",
    "\u5c4f\u5e55\u5f88\u6e05\u6670\uff0c\u7535\u6c60\u4e5f\u8010\u7528\uff0c"
    "\u8fd9\u4e2a\u4ef7\u683c\u5f88\u503c\u3002"};

train::RunConfig config_of(const DemoOptions& options) {
  const fs::path data = options.data.empty() ? runtime::cache_root() / "data"
                                             : fs::path(options.data);
  const auto text = [&](const char* split) {
    const auto file = fmt::format("zh_sentiment.{}.tsv", split);
    return (data / "zh_text" / file).string();
  };
  train::RunConfig config;
  config.model = (data / "bge_zh").string();
  config.train_file = text("train");
  config.dev_file = options.quick ? "" : text("dev");
  config.test_file = text("test");
  config.seed = options.seed;
  config.folder = options.folder;
  if (options.quick) {
    config.max_steps = kQuickSteps;
    config.max_buckets = kQuickBuckets;
    config.max_length = kQuickLength;
  }
  for (const auto& path : {config.model, config.train_file, config.test_file}) {
    if (fs::exists(path)) continue;
    throw Error(Code::kNotFound,
                fmt::format("demo: {} does not exist", path),
                "./dev demo fetches it; --data DIR names another folder that "
                "has bge_zh and zh_text");
  }
  return config;
}

// An earlier demo's folder makes room; anything else is not ours to move.
void make_room(const fs::path& folder) {
  if (!fs::exists(folder)) return;
  if (fs::is_directory(folder) && fs::is_empty(folder)) return;
  const bool ours = fs::exists(folder / "config.toml") &&
                    fs::exists(folder / "metrics.jsonl");
  if (!ours) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("demo: {} exists and is no run of ours", folder.string()),
        "--folder DIR writes elsewhere");
  }
  fs::path aside = folder;
  aside += ".previous";
  if (fs::exists(aside / "config.toml")) fs::remove_all(aside);
  fs::rename(folder, aside);
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double baseline(const train::RunConfig& config) {
  const auto rows = data::read_dataset(config.train_file);
  const auto test =
      data::read_dataset(config.test_file, {.classes = rows.classes});
  return data::NaiveBayes(rows).accuracy(test);
}

std::vector<Classified> classify(const runtime::Session& session,
                                 const std::string& model_folder) {
  train::Inference model(
      session, model_folder, {.batch_size = 4}, train::Head::kClassifier);
  const std::vector<std::string> texts(kSentences.begin(), kSentences.end());
  const auto logits = model.logits(texts);
  std::vector<Classified> out;
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto p = train::probabilities(logits[i]);
    const auto best =
        static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    out.push_back({texts[i], model.config().labels[best], p[best]});
  }
  return out;
}

}  // namespace

int run_demo(const DemoOptions& options, Console& console) {
  const auto& stop = stop_on_signals();
  const auto config = config_of(options);
  make_room(options.folder);
  const auto session = open_session(options.device);
  Progress progress(console);

  DemoSummary summary;
  summary.quick = options.quick;
  summary.precision = config.precision;
  summary.seed = config.seed;
  summary.threads = kernels::threads();
  summary.plugin = session.client().plugin().path().string();
  summary.fast_bf16 = session.platform().fast_bf16;
  console.note("demo 1/4: naive Bayes, the baseline");
  summary.baseline_accuracy = baseline(config);

  console.note(fmt::format(
      "demo 2/4: fine-tuning {} in {}", config.model, config.precision));
  summary.run = train::fine_tune(session, config, progress, stop);
  summary.peak_rss_mb = peak_rss_mb();
  if (summary.run.interrupted) {
    console.note("kexue: demo stopped; the model so far is in " +
                 summary.run.folder + "/model");
    return kInterrupted;
  }
  console.note("demo 3/4: second start, from the cache");
  summary.warm = warm_start(options.folder + "/config.toml", options.device);

  console.note("demo 4/4: single steps, f32 and bf16 taking turns");
  const TimingOptions timing = options.quick
                                   ? TimingOptions{.repeats = 5,
                                                   .op_by_op_repeats = 1,
                                                   .op_by_op_kernels = false}
                                   : TimingOptions{};
  summary.times =
      time_steps(session, open_session(options.device, false), config, timing);
  summary.sentences = classify(session, options.folder + "/model");
  const std::string json = summary_json(summary);
  io::write_file(options.folder + "/summary.json", json + "\n");
  console.print_line(console.json() ? json : summary_table(summary));
  return stop ? kInterrupted : 0;
}

}  // namespace kexue::cli
