// The derivative functions on two small losses, in one compiled program.
//
//   build/release/examples/autodiff
#include <cstdio>

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/transforms/batch.h"
#include "kexue/transforms/jacobian.h"
#include "kexue/transforms/per_sample.h"

namespace kx = kexue;
namespace ops = kexue::ops;
namespace tf = kexue::transforms;
using namespace kexue::ir;  // operators on Value

int main() {
  try {
    // f(x) = x0^2 x1 + x1^3
    const auto f = [](const kx::Values& in) {
      const kx::Value a = ops::slice(in[0], {0}, {1});
      const kx::Value b = ops::slice(in[0], {1}, {2});
      return ops::sum(a * a * b + b * b * b);
    };
    // (x_b w - y_b)^2 / 2, written for one example
    const auto loss = [](const kx::Values& w, const kx::Values& example) {
      const kx::Value r = ops::sum(example[0] * w[0]) - example[1];
      return r * r * 0.5;
    };
    const auto all = [&](const kx::Values& v) -> kx::Values {
      const kx::Values x = {v[0]};
      const kx::Value g = tf::grad(f)(x)[0];
      return {g,
              tf::hvp(f, tf::Hvp::kForwardOverReverse)(x, {v[1]})[0],
              tf::hessian(f(x), x)[0][0],
              tf::gradients(ops::sum(g * g) * 0.5, x)[0],
              tf::per_sample_gradients(loss, {v[1]}, {v[2], v[3]})[0]};
    };
    const auto array = [](const kx::Shape& s, const std::vector<float>& x) {
      return kx::HostArray::of<float>(s, x);
    };
    const kx::runtime::Session session;
    const auto out =
        kx::runtime::jit(session, all)({array({2}, {1, 2}),
                                        array({2}, {1, -1}),
                                        array({3, 2}, {1, 2, 3, 1, 0, 1}),
                                        array({3}, {0, 1, 2})});
    const char* names[] = {"grad f", "H v", "H", "H grad f", "per sample"};
    for (size_t i = 0; i < out.size(); ++i) {
      std::printf("%-10s =", names[i]);
      for (const double d : out[i].to_doubles()) std::printf(" %g", d);
      std::printf("\n");
    }
    return 0;
  } catch (const kx::Error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}
