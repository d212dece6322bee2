// Runs every case on the plugin, kernels included, and writes inputs, outputs,
// cotangents and gradients to one safetensors file: conformance OUT.
#include <cstdio>
#include <set>

#include "kexue/io/safetensors.h"
#include "kexue/runtime/jit.h"
#include "tests/conformance/cases.h"
#include "tests/support/check_grads.h"
#include "tests/support/session_fixture.h"

namespace kexue::testing {
namespace {

using Tensors = std::vector<std::pair<std::string, HostArray>>;

// Uniform in the case's range, another stream for each case.
HostArray draw(const In& in, DType type, uint64_t seed) {
  const bool real = in.dtype == DType::kF64;
  Doubles v = in.values;
  Random random(Key::from_seed(seed));
  while (static_cast<int64_t>(v.size()) < in.shape.size()) {
    const double x = in.low + (in.high - in.low) * random.uniform();
    v.push_back(real ? x : std::floor(x));
  }
  return HostArray::from_doubles({real ? type : in.dtype, in.shape}, v);
}

// Outputs, then their cotangents, then gradients of the float inputs.
struct Built {
  Values outs, weights, grads;
};

Built build(const Case& c, const Values& in) {
  Built b;
  b.outs = c.build(in);
  if (!c.gradient) return b;
  Value loss;
  uint64_t seed = 900;
  for (const Value& y : b.outs) {
    if (!is_float(y.dtype())) continue;
    const Key key = Key::from_seed(seed++);
    b.weights.push_back(ops::convert(
        ops::constant(random_normal({DType::kF64, y.shape()}, key)),
        y.dtype()));
    const Value part = ops::sum(y * b.weights.back());
    loss = loss ? loss + part : part;
  }
  b.grads = transforms::gradients(loss, float_values(in));
  return b;
}

void run_case(const runtime::Session& session,
              const Case& c,
              DType type,
              uint64_t seed,
              Tensors& out) {
  std::vector<HostArray> args;
  for (const In& in : c.in) args.push_back(draw(in, type, seed++));
  Built shape;
  const auto graph = runtime::trace(
      [&](const Values& in) {
        shape = build(c, in);
        Values all = shape.outs;
        all.insert(all.end(), shape.weights.begin(), shape.weights.end());
        all.insert(all.end(), shape.grads.begin(), shape.grads.end());
        return all;
      },
      types_of(args));
  const auto got = session.run(session.compile(*graph), args);
  const std::string prefix = c.id + "|" + std::string(name(type)) + "|";
  for (size_t i = 0; i < args.size(); ++i) {
    out.emplace_back(prefix + "in" + std::to_string(i), args[i]);
  }
  size_t at = 0;
  const auto put = [&](const char* what, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      out.emplace_back(prefix + what + std::to_string(i), got.at(at++));
    }
  };
  put("out", shape.outs.size());
  put("weight", shape.weights.size());
  put("grad", shape.grads.size());
}

int run(const char* path) {
  if (plugin_path().empty()) {
    std::fprintf(stderr, "conformance: no PJRT plugin found\n");
    return 2;
  }
  const runtime::Session session;
  Tensors out;
  std::set<std::string> ids;
  uint64_t seed = 10'000;
  for (const Case& c : conformance_cases()) {
    if (!ids.insert(c.id).second) {
      std::fprintf(stderr, "conformance: two cases %s\n", c.id.c_str());
      return 70;
    }
    for (const DType type : {DType::kF32, DType::kF64}) {
      try {
        run_case(session, c, type, seed, out);
      } catch (const Error& e) {
        std::fprintf(stderr, "conformance: %s: %s\n", c.id.c_str(), e.what());
        return 1;
      }
    }
    seed += 10;
  }
  io::save_safetensors(path, out, {{"cases", std::to_string(ids.size())}});
  std::fprintf(stderr, "conformance: %zu cases in f32 and f64\n", ids.size());
  return 0;
}

}  // namespace
}  // namespace kexue::testing

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: conformance OUT.safetensors\n");
    return 2;
  }
  return kexue::testing::run(argv[1]);
}
