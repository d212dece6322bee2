// Least squares on four devices: every device computes the gradient of its
// rows, and the compiler adds them up. The numbers are those of one device.
//
//   build/release/examples/data_parallel
#include <cstdio>

#include "kexue/base/error.h"
#include "kexue/base/random.h"
#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/transforms/grad.h"

namespace kx = kexue;
using namespace kexue::ir;  // operators on Value
int main() {
  try {
    // One step of gradient descent on mean((X w - y)^2): inputs w, X, y.
    const auto step = [](const kx::Values& in) -> kx::Values {
      const kx::Value error = kx::ops::matmul(in[1], in[0]) - in[2];
      const kx::Value loss = kx::ops::mean(error * error);
      const auto grad = kx::transforms::gradients(loss, {in[0]})[0];
      return {in[0] - grad * 0.2, loss};
    };
    const kx::Mesh mesh{{"data", 4}};
    const kx::Sharding rows{{"data"}};
    const kx::runtime::Session session(
        {.device_count = static_cast<int64_t>(mesh.devices())});

    kx::HostArray x(kx::DType::kF32, {64, 3});
    kx::HostArray y(kx::DType::kF32, {64, 1});
    kx::Random random(kx::Key::from_seed(1));
    const float* row = x.mutable_span<float>().data();
    for (float& v : x.mutable_span<float>()) {
      v = static_cast<float>(random.normal());
    }
    for (float& v : y.mutable_span<float>()) {
      v = row[0] - 2 * row[1] + 0.5F * row[2];
      row += 3;
    }
    const kx::HostArray zero(kx::DType::kF32, {3, 1});
    const auto graph =
        kx::runtime::trace(step, {zero.type(), x.type(), y.type()});
    const auto program = session.compile(
        *graph, {.alias = {0}, .mesh = mesh, .in = {{}, rows, rows}});
    auto w = session.to_devices(zero, mesh);
    const auto xs = session.to_devices(x, mesh, rows);
    const auto ys = session.to_devices(y, mesh, rows);
    for (int i = 0; i < 20; ++i) {
      const kx::runtime::ShardedArray* args[] = {&w, &xs, &ys};
      auto out = program.run_sharded(args);
      w = std::move(out[0]);
      if (i % 5 == 4) std::printf("loss %.6f\n", out[1].to_host().at(0));
    }
    const auto found = w.to_host().to_doubles();  // 1, -2, 0.5
    std::printf("w = %.3f %.3f %.3f\n", found[0], found[1], found[2]);
  } catch (const kx::Error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}
