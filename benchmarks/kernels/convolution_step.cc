// Forward and backward pass of one convolution, with our kernels and with the
// compiler's own convolutions, taking turns.
//
// Prints, for each shape and type, the least CPU seconds of both and the ratio.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/runtime/session.h"
#include "kexue/transforms/grad.h"

namespace {

namespace kx = kexue;
using kx::DType;
using kx::runtime::DeviceArray;

struct Work {
  const char* name;
  kx::Shape x;
  kx::Shape kernel;
  int64_t stride = 1;
};

const Work kWorks[] = {
    {"3x3 64->64, 32x28x28", {32, 28, 28, 64}, {3, 3, 64, 64}},
    {"3x3 3->32, 32x32x32", {32, 32, 32, 3}, {3, 3, 3, 32}},
    {"3x3 32->64 by 2, 32x32x32", {32, 32, 32, 32}, {3, 3, 32, 64}, 2},
    {"1x1 64->64, 32x28x28", {32, 28, 28, 64}, {1, 1, 64, 64}},
    {"5x5 30->30, 16x16x16", {16, 16, 16, 30}, {5, 5, 30, 30}},
    {"3x3 8->8, 4x12x12", {4, 12, 12, 8}, {3, 3, 8, 8}},
};

constexpr int kRounds = 5;

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// y and both gradients for the cotangent y itself.
kx::ir::Values step(const kx::ir::Values& in, int64_t stride) {
  const kx::Value y = kx::ops::conv2d(
      in[0],
      in[1],
      {.strides = {stride, stride}, .padding = kx::ops::Padding::same()});
  const auto grads = kx::transforms::vjp({y}, {y}, in);
  return {y, grads[0], grads[1]};
}

double time_once(const kx::runtime::Program& program,
                 const std::vector<const DeviceArray*>& args) {
  const double start = cpu_seconds();
  const auto out = program.run(args);
  out[2].to_host();  // waits
  return cpu_seconds() - start;
}

void measure(const kx::runtime::Session& fast,
             const kx::runtime::Session& plain,
             const Work& work,
             DType compute) {
  const std::vector<kx::TensorType> types = {{DType::kF32, work.x},
                                             {DType::kF32, work.kernel}};
  const auto graph = kx::runtime::trace(
      [&](const kx::ir::Values& in) { return step(in, work.stride); }, types);
  std::vector<DeviceArray> buffers;
  for (const auto* session : {&fast, &plain}) {
    for (const auto& t : types) {
      buffers.push_back(session->to_device(kx::HostArray::full(t, 0.03125)));
    }
  }
  kx::runtime::CompileOptions how;
  how.compute = compute;
  const auto ours = fast.compile(*graph, how);
  const auto theirs = plain.compile(*graph, how);
  const std::vector<const DeviceArray*> a = {&buffers[0], &buffers[1]};
  const std::vector<const DeviceArray*> b = {&buffers[2], &buffers[3]};
  double best_ours = 1e9;
  double best_theirs = 1e9;
  for (int i = 0; i < kRounds; ++i) {
    best_ours = std::min(best_ours, time_once(ours, a));
    best_theirs = std::min(best_theirs, time_once(theirs, b));
  }
  std::printf("%-28s %-5s kernels %8.2f ms  compiler %8.2f ms  ratio %5.2f\n",
              work.name,
              std::string(kx::name(compute)).c_str(),
              best_ours * 1e3,
              best_theirs * 1e3,
              best_theirs / best_ours);
}

}  // namespace

int main() {
  const kx::runtime::Session fast;
  kx::runtime::SessionOptions options;
  options.use_kernels = false;
  const kx::runtime::Session plain(options);
  for (const Work& work : kWorks) {
    for (const DType compute : {DType::kF32, DType::kBF16}) {
      measure(fast, plain, work, compute);
    }
  }
  return 0;
}
