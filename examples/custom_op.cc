// An op of your own with a kernel of your own: docs/extending.md explains.
//
//   build/release/examples/custom_op
#include <cmath>
#include <cstdio>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/stablehlo/emitter.h"
#include "kexue/transforms/grad.h"

namespace kx = kexue;

// y = x / (1 + |x|).  f[...] -> f[...]
constexpr kx::OpDef kSoftsign{
    .name = "softsign",
    .infer = [](const kx::InferContext& c) -> kx::ir::TypeList {
      return {c.type(0)};
    },
    .lower = [](kx::stablehlo::Emitter& e,
                const kx::Node& n) { e.custom_call(n, "my_softsign", ""); },
    .compose = [](const kx::Node&, const kx::Values& in) -> kx::Values {
      return {in[0] / (kx::ops::abs(in[0]) + 1.0)};
    },
    .kernel = [](const kx::Node& n) -> std::string_view {
      return n.types[0].dtype == kx::DType::kF32 ? "my_softsign" : "";
    },
};

void run_softsign(const kx::pjrt::FfiCall& call) {
  const auto& x = call.args()[0];
  if (x.dtype != kx::DType::kF32) {
    throw kx::Error(kx::Code::kInvalidArgument, "my_softsign: wants f32");
  }
  int64_t n = 1;
  for (const int64_t d : x.dims) n *= d;
  const auto* from = static_cast<const float*>(x.data);
  auto* to = static_cast<float*>(call.results()[0].data);
  for (int64_t i = 0; i < n; ++i) to[i] = from[i] / (1 + std::fabs(from[i]));
}

int main() try {
  const kx::runtime::Session session(
      {.kernels = {kx::pjrt::ffi_target<run_softsign>("my_softsign")}});
  auto program = kx::runtime::jit(session, [](const kx::Values& in) {
    const kx::Value y = in[0].graph().add(kSoftsign, {in[0]}).out();
    const kx::Value loss = kx::ops::sum(y);
    return kx::Values{y, kx::transforms::gradients(loss, {in[0]})[0]};
  });
  const auto x = kx::HostArray::of<float>({2}, std::vector<float>{-1, 3});
  const auto out = program({x});
  for (int64_t i = 0; i < 2; ++i) {
    std::printf("y = %+.4f, dy/dx = %.4f\n", out[0].at(i), out[1].at(i));
  }
} catch (const kx::Error& e) {
  std::fprintf(stderr, "error: %s\n", e.what());
  return 1;
}
