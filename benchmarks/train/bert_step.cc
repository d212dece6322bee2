// Times whole training steps of BERT: forward, backward, clipping, AdamW.
//
//   bert_step [--layers 4] [--hidden 512] [--vocab 21128] [--dtype bf16]
//             [--threads 2] [--dropout 0.1] [--no-kernels] [--remat]
//
// A line `BATCH LEN STEPS` on stdin runs that many steps and answers with one
// JSON line, so that two programs can take turns on a machine whose speed
// drifts.
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/losses/losses.h"
#include "kexue/models/bert.h"
#include "kexue/train/engine.h"

namespace {

namespace kx = kexue;
using kx::HostArray;
using Clock = std::chrono::steady_clock;

struct Options {
  int64_t layers = 4;
  int64_t hidden = 512;
  int64_t vocab = 21128;
  double dropout = 0.1;
  std::string dtype = "bf16";
  int threads = 0;
  bool kernels = true;
  bool remat = false;
};

template <class T>
T number(const std::string& text) {
  T x{};
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), x);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw kx::Error(kx::Code::kInvalidArgument, "not a number: " + text);
  }
  return x;
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    if (key == "--no-kernels") {
      o.kernels = false;
      continue;
    }
    if (key == "--remat") {
      o.remat = true;
      continue;
    }
    if (i + 1 == argc) {
      throw kx::Error(kx::Code::kInvalidArgument, key + " wants a value");
    }
    const std::string value = argv[++i];
    if (key == "--layers") {
      o.layers = number<int64_t>(value);
    } else if (key == "--hidden") {
      o.hidden = number<int64_t>(value);
    } else if (key == "--vocab") {
      o.vocab = number<int64_t>(value);
    } else if (key == "--dropout") {
      o.dropout = number<double>(value);
    } else if (key == "--threads") {
      o.threads = number<int>(value);
    } else if (key == "--dtype") {
      o.dtype = value;
    } else {
      throw kx::Error(kx::Code::kInvalidArgument, "unknown option " + key);
    }
  }
  return o;
}

// Rows of 60 to 100 % of the length, as buckets have them.
kx::train::HostBatch random_batch(int64_t batch,
                                  int64_t length,
                                  int64_t vocab) {
  kx::Random random(kx::Key::from_seed(1));
  const auto cells = static_cast<size_t>(batch * length);
  std::vector<int32_t> ids(cells, 0);
  std::vector<double> mask(cells, 0);
  std::vector<int32_t> label(static_cast<size_t>(batch));
  for (size_t b = 0; b < label.size(); ++b) {
    label[b] = static_cast<int32_t>(random.below(2));
    const auto low =
        static_cast<uint64_t>(std::max<int64_t>(1, length * 6 / 10));
    const uint64_t n =
        low + random.below(static_cast<uint64_t>(length) - low + 1);
    for (size_t t = 0; t < n; ++t) {
      const size_t at = b * static_cast<size_t>(length) + t;
      ids[at] = static_cast<int32_t>(
          1000 + random.below(static_cast<uint64_t>(vocab) - 1000));
      mask[at] = 1;
    }
  }
  const std::vector<float> weight(label.size(), 1.0F);
  return {{"ids", HostArray::of<int32_t>({batch, length}, ids)},
          {"types", HostArray(kx::DType::kI32, {batch, length})},
          {"mask",
           HostArray::from_doubles({kx::DType::kBool, {batch, length}}, mask)},
          {"label", HostArray::of<int32_t>({batch}, label)},
          {"weight", HostArray::of<float>({batch}, weight)}};
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1e3;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

void serve(const Options& o) {
  kx::runtime::SessionOptions how;
  how.threads = o.threads;
  how.use_kernels = o.kernels;
  const kx::runtime::Session session(how);
  kx::models::Bert bert({.config = {.vocab = o.vocab,
                                    .hidden = o.hidden,
                                    .layers = o.layers,
                                    .heads = o.hidden / 64,
                                    .inner = 4 * o.hidden,
                                    .dropout = o.dropout,
                                    .attention_dropout = o.dropout,
                                    .labels = {"0", "1"}},
                         .remat = o.remat});
  const auto params = bert.parameters();
  const auto loss = [&](const kx::train::BatchValues& b) {
    const auto logits =
        bert.classify({b.at("ids"), b.at("types"), b.at("mask")});
    return kx::train::LossResult{
        kx::losses::cross_entropy(logits, b.at("label"), b.at("weight")), {}};
  };
  kx::train::EngineOptions options;
  options.compute = o.dtype == "f32" ? kx::DType::kF32 : kx::DType::kBF16;
  kx::train::Engine engine(
      session,
      params,
      loss,
      std::make_shared<kx::optim::AdamW>(kx::optim::AdamWOptions{}),
      options);
  engine.start(kx::nn::initial_values(params, kx::Key::from_seed(1)));
  const kx::train::Hyper hyper{.lr = 5e-5, .total_steps = 1e6};
  std::map<std::pair<int64_t, int64_t>, kx::train::HostBatch> ready;
  int64_t batch = 0;
  int64_t length = 0;
  int64_t steps = 0;
  while (std::cin >> batch >> length >> steps) {
    const auto key = std::pair(batch, length);
    if (!ready.contains(key)) {
      ready[key] = random_batch(batch, length, o.vocab);
      for (int i = 0; i < 3; ++i) engine.step(ready[key], hyper);
    }
    std::vector<double> wall;
    std::vector<double> cpu;
    for (int64_t i = 0; i < steps; ++i) {
      const auto start = Clock::now();
      const double start_cpu = cpu_seconds();
      engine.step(ready[key], hyper);
      cpu.push_back(1e3 * (cpu_seconds() - start_cpu));
      wall.push_back(
          1e3 * std::chrono::duration<double>(Clock::now() - start).count());
    }
    std::printf(
        "{\"batch\": %ld, \"len\": %ld, \"wall_ms_median\": %.2f, "
        "\"wall_ms_min\": %.2f, \"cpu_ms_median\": %.2f, \"cpu_ms_min\": "
        "%.2f, \"compile_s\": %.2f, \"program_mb\": %.0f, "
        "\"temporary_mb\": %.0f, \"peak_rss_mb\": %.0f}\n",
        batch,
        length,
        median(wall),
        *std::min_element(wall.begin(), wall.end()),
        median(cpu),
        *std::min_element(cpu.begin(), cpu.end()),
        engine.compile_report().seconds,
        static_cast<double>(engine.compile_report().memory.total()) / 1e6,
        static_cast<double>(engine.compile_report().memory.temporary) / 1e6,
        peak_rss_mb());
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    serve(parse(argc, argv));
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bert_step: %s\n", e.what());
    return 1;
  }
}
