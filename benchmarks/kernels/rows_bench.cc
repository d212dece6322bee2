// Kernels that move memory: time an element and bytes moved a second.
#include <benchmark/benchmark.h>

#include <vector>

#include "kexue/kernels/column_sum.h"
#include "kexue/kernels/cross_entropy.h"
#include "kexue/kernels/dropout.h"
#include "kexue/kernels/gelu.h"
#include "kexue/kernels/group_norm.h"
#include "kexue/kernels/layer_norm.h"
#include "kexue/kernels/parallel.h"

namespace kexue::kernels {
namespace {

constexpr int64_t kRows = 4096;
constexpr int64_t kDim = 512;
constexpr int64_t kCount = kRows * kDim;

std::vector<float> ramp(int64_t n) {
  std::vector<float> x(static_cast<size_t>(n));
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(i % 1000) / 250.0f - 2.0f;
  }
  return x;
}

// `arrays`: how many f32 arrays of kCount are read or written.
template <class Run>
void measure(benchmark::State& state, int arrays, const Run& run) {
  set_threads(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  set_threads(0);
  state.SetBytesProcessed(state.iterations() * arrays * kCount * 4);
  state.counters["ns/element"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(kCount) *
          1e-9,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void LayerNorm(benchmark::State& state) {
  const auto x = ramp(kCount), gamma = ramp(kDim), beta = ramp(kDim);
  std::vector<float> y(kCount), mean(kRows), rstd(kRows);
  measure(state, 2, [&] {
    layer_norm(kRows,
               kDim,
               1e-5f,
               x.data(),
               gamma.data(),
               beta.data(),
               y.data(),
               mean.data(),
               rstd.data());
  });
}

void LayerNormGrad(benchmark::State& state) {
  const auto x = ramp(kCount), dy = ramp(kCount), gamma = ramp(kDim);
  const std::vector<float> mean(kRows, 0.0f), rstd(kRows, 1.0f);
  std::vector<float> dx(kCount), dgamma(kDim), dbeta(kDim);
  measure(state, 3, [&] {
    layer_norm_grad(kRows,
                    kDim,
                    dy.data(),
                    x.data(),
                    gamma.data(),
                    mean.data(),
                    rstd.data(),
                    dx.data(),
                    dgamma.data(),
                    dbeta.data());
  });
}

// As in the U-Net: 32 images of 32 x 32 with 64 channels, 8 groups and SiLU.
constexpr GroupNormSpec kImages{
    .batch = 32, .positions = 1024, .channels = 64, .groups = 8, .silu = true};
static_assert(kImages.batch * kImages.positions * kImages.channels == kCount);

void GroupNorm(benchmark::State& state) {
  const auto x = ramp(kCount), gamma = ramp(64), beta = ramp(64);
  std::vector<float> z(kCount), mean(32 * 8), rstd(32 * 8);
  measure(state, 2, [&] {
    group_norm(kImages,
               1e-5f,
               x.data(),
               gamma.data(),
               beta.data(),
               z.data(),
               mean.data(),
               rstd.data());
  });
}

void GroupNormGrad(benchmark::State& state) {
  const auto x = ramp(kCount), dz = ramp(kCount);
  const auto gamma = ramp(64), beta = ramp(64);
  const std::vector<float> mean(32 * 8, 0.0f), rstd(32 * 8, 1.0f);
  std::vector<float> dx(kCount), dgamma(64), dbeta(64);
  measure(state, 3, [&] {
    group_norm_grad(kImages,
                    dz.data(),
                    x.data(),
                    gamma.data(),
                    beta.data(),
                    mean.data(),
                    rstd.data(),
                    dx.data(),
                    dgamma.data(),
                    dbeta.data());
  });
}

void Gelu(benchmark::State& state) {
  const auto x = ramp(kCount);
  std::vector<float> y(kCount);
  measure(state, 2, [&] { gelu(kCount, x.data(), y.data()); });
}

void GeluGrad(benchmark::State& state) {
  const auto x = ramp(kCount), dy = ramp(kCount);
  std::vector<float> dx(kCount);
  measure(state, 3, [&] { gelu_grad(kCount, dy.data(), x.data(), dx.data()); });
}

// Logits of kRows x kDim; bytes are counted as if they were f32.
template <class T>
void CrossEntropy(benchmark::State& state) {
  const auto wide = ramp(kCount);
  const std::vector<T> x(wide.begin(), wide.end());
  const std::vector<int32_t> labels(kRows, 7);
  std::vector<float> loss(kRows), lse(kRows);
  measure(state, 1, [&] {
    cross_entropy(
        kRows, kDim, x.data(), labels.data(), loss.data(), lse.data());
  });
}

template <class T>
void CrossEntropyGrad(benchmark::State& state) {
  const auto wide = ramp(kCount);
  const std::vector<T> x(wide.begin(), wide.end());
  const std::vector<int32_t> labels(kRows, 7);
  const std::vector<float> dy(kRows, 1.0f), lse(kRows, 8.0f);
  std::vector<T> dx(kCount);
  measure(state, 2, [&] {
    cross_entropy_grad(
        kRows, kDim, dy.data(), x.data(), labels.data(), lse.data(), dx.data());
  });
}

template <class T>
void ColumnSum(benchmark::State& state) {
  const auto wide = ramp(kCount);
  const std::vector<T> x(wide.begin(), wide.end());
  std::vector<float> y(kDim);
  measure(state, 1, [&] { column_sum(kRows, kDim, x.data(), y.data()); });
}

void Dropout(benchmark::State& state) {
  const auto x = ramp(kCount);
  std::vector<float> y(kCount);
  measure(state, 2, [&] {
    dropout(kCount, 6554, Key{1, 2}, x.data(), y.data());
  });
}

// The speed of memory, to compare with.
void Copy(benchmark::State& state) {
  const auto x = ramp(kCount);
  std::vector<float> y(kCount);
  measure(state, 2, [&] {
    parallel_for(64, [&](int64_t i) {
      const auto part = static_cast<size_t>(kCount / 64);
      const auto from = static_cast<size_t>(i) * part;
      std::copy_n(x.data() + from, part, y.data() + from);
    });
  });
}

BENCHMARK(LayerNorm)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(LayerNormGrad)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(GroupNorm)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(GroupNormGrad)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(Gelu)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(GeluGrad)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(CrossEntropy<float>)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(CrossEntropy<BFloat16>)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(CrossEntropyGrad<float>)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(CrossEntropyGrad<BFloat16>)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(ColumnSum<float>)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(ColumnSum<BFloat16>)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(Dropout)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(Copy)->Arg(1)->Arg(2)->UseRealTime();

}  // namespace
}  // namespace kexue::kernels

BENCHMARK_MAIN();
