// Matrix products: GFLOP/s by shape, layout, type and thread count.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "kexue/kernels/matmul.h"
#include "kexue/kernels/parallel.h"

namespace kexue::kernels {
namespace {

// Zeros would do for the time, but denormals must not come up.
std::vector<float> data(int64_t floats) {
  return std::vector<float>(static_cast<size_t>(floats), 0.03125f);
}

void run(benchmark::State& state, MatmulSpec spec, DType in, int threads) {
  spec.in = in;
  const int64_t batch = spec.b1 * spec.b2;
  const auto a = data(batch * spec.m * spec.k);
  const auto b = data(batch * spec.k * spec.n);
  auto c = data(batch * spec.m * spec.n);
  set_threads(threads);
  for (auto _ : state) {
    matmul(spec, a.data(), b.data(), nullptr, c.data());
    benchmark::ClobberMemory();
  }
  set_threads(0);
  const double flop = 2.0 * static_cast<double>(batch * spec.m * spec.n) *
                      static_cast<double>(spec.k) *
                      static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] =
      benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsRate);
}

// Transposed a or b where the flag says so.
MatmulSpec plain(int64_t m, int64_t n, int64_t k, bool ta, bool tb) {
  return {.m = m,
          .n = n,
          .k = k,
          .a_strides = {0, 0, ta ? 1 : k, ta ? m : 1},
          .b_strides = {0, 0, tb ? 1 : n, tb ? k : 1},
          .c_strides = {0, 0, n, 1}};
}

constexpr int64_t kBatch = 32, kHeads = 8, kLength = 128, kDim = 64;
constexpr int64_t kRow = kHeads * kDim;
constexpr std::array<int64_t, 4> kHeadRows = {kLength * kRow, kDim, kRow, 1};
constexpr std::array<int64_t, 4> kHeadColumns = {kLength * kRow, kDim, 1, kRow};
constexpr std::array<int64_t, 4> kScores = {
    kHeads * kLength * kLength, kLength* kLength, kLength, 1};
constexpr std::array<int64_t, 4> kScoreColumns = {
    kHeads * kLength * kLength, kLength* kLength, 1, kLength};

const struct {
  const char* name;
  MatmulSpec spec;
} kShapes[] = {
    {"4096x512x512", plain(4096, 512, 512, false, false)},
    {"4096x2048x512", plain(4096, 2048, 512, false, false)},
    {"4096x512x2048", plain(4096, 512, 2048, false, false)},
    {"4096x512x512_nt", plain(4096, 512, 512, false, true)},
    {"4096x512x2048_nt", plain(4096, 512, 2048, false, true)},
    {"512x512x4096_tn", plain(512, 512, 4096, true, false)},
    {"512x2048x4096_tn", plain(512, 2048, 4096, true, false)},
    {"1024x256x256", plain(1024, 256, 256, false, false)},
    {"attention_qk",
     {.b1 = kBatch,
      .b2 = kHeads,
      .m = kLength,
      .n = kLength,
      .k = kDim,
      .a_strides = kHeadRows,
      .b_strides = kHeadColumns,
      .c_strides = kScores}},
    {"attention_pv",
     {.b1 = kBatch,
      .b2 = kHeads,
      .m = kLength,
      .n = kDim,
      .k = kLength,
      .a_strides = kScores,
      .b_strides = kHeadRows,
      .c_strides = kHeadRows}},
    {"attention_ptv",
     {.b1 = kBatch,
      .b2 = kHeads,
      .m = kLength,
      .n = kDim,
      .k = kLength,
      .a_strides = kScoreColumns,
      .b_strides = kHeadRows,
      .c_strides = kHeadRows}},
    {"small_16x16x16", plain(16, 16, 16, false, false)},
};

[[maybe_unused]] const bool kRegistered = [] {
  for (const auto& [name, spec] : kShapes) {
    for (const DType in : {DType::kF32, DType::kBF16}) {
      for (const int threads : {1, 2}) {
        const auto full = "Matmul/" + std::string(name) + "/" +
                          std::string(kexue::name(in)) + "/" +
                          std::to_string(threads);
        const MatmulSpec copy = spec;
        benchmark::RegisterBenchmark(
            full.c_str(),
            [=](benchmark::State& state) { run(state, copy, in, threads); })
            ->UseRealTime();
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace kexue::kernels
