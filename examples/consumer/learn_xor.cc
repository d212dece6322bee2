// A program outside of kexue's source: trains two layers to compute XOR.
#include <cstdio>
#include <vector>

#include <kexue/kexue.h>

namespace kx = kexue;

class Xor final {
 public:
  Xor()
      : hidden_({.in = 2, .out = 8, .init = kx::nn::Init::normal(1.0F)}),
        last_({.in = 8, .out = 1, .init = kx::nn::Init::normal(1.0F)}) {}

  kx::Value operator()(const kx::Value& x) const {
    return last_(kx::ops::tanh(hidden_(x)));
  }
  template <class Visitor>
  void visit(Visitor& visitor) {
    visitor("hidden", hidden_);
    visitor("last", last_);
  }

 private:
  kx::nn::Dense hidden_;
  kx::nn::Dense last_;
};

int main() {
  try {
    Xor model;
    const auto params = kx::nn::parameters(model);
    const auto loss = [&](const kx::train::BatchValues& batch) {
      const kx::Value error =
          kx::ops::subtract(model(batch.at("x")), batch.at("y"));
      return kx::train::LossResult{kx::ops::mean(error * error), {}};
    };
    const kx::runtime::Session session;  // finds a PJRT plugin
    kx::train::Engine engine(
        session,
        params,
        loss,
        std::make_shared<kx::optim::AdamW>(kx::optim::AdamWOptions{}),
        {});
    engine.start(kx::nn::initial_values(params, kx::Key::from_seed(1)));
    const kx::train::HostBatch batch{
        {"x",
         kx::HostArray::of<float>({4, 2},
                                  std::vector<float>{0, 0, 0, 1, 1, 0, 1, 1})},
        {"y",
         kx::HostArray::of<float>({4, 1}, std::vector<float>{0, 1, 1, 0})}};
    double last = 0;
    for (int i = 0; i < 200; ++i) {
      last = engine.step(batch, {.lr = 0.05, .total_steps = 200}).at("loss");
    }
    std::printf("loss %.6f\n", last);
    return last < 0.01 ? 0 : 1;
  } catch (const kx::Error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}
