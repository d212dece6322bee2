// Fused attention: time of one call and the speed of its products.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "kexue/kernels/attention.h"
#include "kexue/kernels/parallel.h"

namespace kexue::kernels {
namespace {

struct Data {
  explicit Data(const AttentionSpec& s)
      : count(static_cast<size_t>(s.batch * s.queries * s.heads * s.dim)),
        x(count),
        half(count),
        out(count),
        lse(static_cast<size_t>(s.batch * s.heads * s.queries), 5.0f),
        mask(new bool[static_cast<size_t>(s.batch * s.keys)]) {
    for (size_t i = 0; i < count; ++i) {
      x[i] = static_cast<float>(i * 7919 % 1000) / 500.0f - 1.0f;
      half[i] = BFloat16(x[i]);
    }
    for (int64_t i = 0; i < s.batch * s.keys; ++i) {
      mask[static_cast<size_t>(i)] = true;
    }
  }
  FloatsIn in(DType dtype) const {
    return dtype == DType::kF32 ? FloatsIn(x.data()) : FloatsIn(half.data());
  }

  size_t count;
  std::vector<float> x;
  std::vector<BFloat16> half;
  std::vector<float> out;
  std::vector<float> lse;
  std::unique_ptr<bool[]> mask;
};

void run(benchmark::State& state,
         const AttentionSpec& s,
         DType in,
         bool backward,
         int threads) {
  Data d(s);
  auto dk = d.out, dv = d.out;
  const FloatsIn q = d.in(in);
  set_threads(threads);
  for (auto _ : state) {
    if (backward) {
      attention_grad(s,
                     q,
                     q,
                     q,
                     d.mask.get(),
                     d.x.data(),
                     d.lse.data(),
                     d.x.data(),
                     d.out.data(),
                     dk.data(),
                     dv.data());
    } else {
      attention(s, q, q, q, d.mask.get(), d.out.data(), d.lse.data());
    }
    benchmark::ClobberMemory();
  }
  set_threads(0);
  const double products = backward ? 5.0 : 2.0;
  const auto keys = static_cast<double>(s.keys);
  const double seen = s.causal ? (keys + 1) / 2 : keys;
  const auto flop = products * 2.0 * static_cast<double>(d.count) * seen *
                    static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] =
      benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsRate);
}

void add(const AttentionSpec& s, DType in, bool backward, int threads) {
  const auto full = std::string("Attention/") +
                    (backward ? "grad/" : "value/") + std::to_string(s.keys) +
                    "/" + std::string(name(in)) + (s.causal ? "/causal" : "") +
                    (s.threshold ? "/dropout/" : "/") + std::to_string(threads);
  benchmark::RegisterBenchmark(full.c_str(), [=](benchmark::State& state) {
    run(state, s, in, backward, threads);
  })->UseRealTime();
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const int64_t length : {128, 256, 512}) {
    AttentionSpec s{.batch = 4096 / length,
                    .queries = length,
                    .keys = length,
                    .heads = 8,
                    .dim = 64,
                    .scale = 0.125f};
    for (const bool backward : {false, true}) {
      for (const DType in : {DType::kF32, DType::kBF16}) {
        for (const auto& [causal, threshold] :
             {std::pair{false, 0}, {false, 6554}, {true, 0}}) {
          s.causal = causal;
          s.threshold = threshold;
          for (const int threads : {1, 2}) add(s, in, backward, threads);
        }
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace kexue::kernels
