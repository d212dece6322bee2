// Trace a function, take its gradient, compile both as one XLA program, run.
//
//   build/release/examples/hello_xla
#include <cstdio>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/transforms/grad.h"

namespace kx = kexue;
using namespace kexue::ir;  // operators on Value

int main() {
  try {
    // f(W, x) = mean(tanh(W x)^2): ordinary C++, written once, in f32.
    const auto f = [](const kx::Values& in) {
      const kx::Value h = kx::ops::tanh(kx::ops::matmul(in[0], in[1]));
      return kx::ops::mean(h * h);
    };
    // The gradient is a graph transform; so is the gradient of its norm.
    const auto both = [&](const kx::Values& in) -> kx::Values {
      const auto [y, grads] = kx::transforms::value_and_grad(f)(in);
      const kx::Value norm = kx::ops::norm(grads[0]);
      return {y, grads[0], kx::transforms::gradients(norm, {in[0]})[0]};
    };

    const kx::runtime::Session session;  // finds a PJRT plugin
    auto program = kx::runtime::jit(session, both);

    const auto w = kx::HostArray::of<float>(
        {2, 3}, std::vector<float>{0.1F, -0.2F, 0.3F, 0.4F, 0.5F, -0.6F});
    const auto x = kx::HostArray::of<float>(
        {3, 2}, std::vector<float>{1, 2, -1, 0.5F, 0.25F, -2});
    const auto out = program({w, x});

    std::printf("f            = %.6f\n", out[0].at(0));
    std::printf("df/dW        =");
    for (const double d : out[1].to_doubles()) std::printf(" %+.6f", d);
    std::printf("\nd|df/dW|/dW  =");
    for (const double d : out[2].to_doubles()) std::printf(" %+.6f", d);
    const auto& stats = program.program({w.type(), x.type()}).stats();
    std::printf("\n%s on %s: %zu nodes, %.0f ms to compile%s\n",
                session.client().plugin().path().filename().c_str(),
                session.platform().name.c_str(),
                stats.nodes,
                stats.compile_s * 1e3,
                stats.from_cache ? " (cached)" : "");
    return 0;
  } catch (const kx::Error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}
