// Smooth functions far from 0: values and derivatives up to the third order
// are finite for |x| up to 1e4 in f32, on the host and compiled.
#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"
#include "tests/ops/device_check.h"
#include "tests/pjrt/device_fixture.h"
#include "tests/support/check_grads.h"

namespace kexue::testing {
namespace {

struct Smooth {
  std::string name;
  Value (*f)(const Arg&);
  double far_left, far_right;  // the slope at -1e4 and 1e4
};

const std::vector<Smooth>& functions() {
  static const std::vector<Smooth> all = {
      {"erf", ops::erf, 0, 0},
      {"erfc", ops::erfc, 0, 0},
      {"logistic", ops::logistic, 0, 0},
      {"tanh", ops::tanh, 0, 0},
      {"softplus", ops::softplus, 0, 1},
      {"log_sigmoid", ops::log_sigmoid, 1, 0},
      {"gelu", ops::gelu, 0, 1},
      {"gelu_tanh", ops::gelu_tanh, 0, 1},
  };
  return all;
}

const std::vector<double> kPoints = {-1e4,
                                     -3000,
                                     -200,
                                     -104,
                                     -88.5,
                                     -20,
                                     -6,
                                     -1,
                                     -1e-4,
                                     0,
                                     1e-4,
                                     1,
                                     6,
                                     20,
                                     88.5,
                                     104.0,
                                     200.,
                                     3e3,
                                     1e4};

// For each function: the value and three derivatives.
Values outputs(const Value& x) {
  Values out;
  for (const Smooth& s : functions()) {
    Value y = s.f(x);
    out.push_back(y);
    for (int order = 1; order <= 3; ++order) {
      y = transforms::gradients(ops::sum(y), {x})[0];
      out.push_back(y);
    }
  }
  return out;
}

void check(const std::vector<HostArray>& got) {
  ASSERT_EQ(got.size(), 4 * functions().size());
  for (size_t i = 0; i < got.size(); ++i) {
    const Smooth& s = functions()[i / 4];
    const auto y = got[i].to_doubles();
    for (size_t k = 0; k < y.size(); ++k) {
      EXPECT_TRUE(std::isfinite(y[k]))
          << s.name << ", order " << i % 4 << ", x = " << kPoints[k] << ": "
          << y[k];
    }
    if (i % 4 == 1) {
      EXPECT_EQ(y.front(), s.far_left) << s.name;
      EXPECT_EQ(y.back(), s.far_right) << s.name;
    }
    if (i % 4 >= 2) {
      EXPECT_EQ(y.front(), 0) << s.name;
      EXPECT_EQ(y.back(), 0) << s.name;
    }
  }
}

class Smoothness : public pjrt::testing::DeviceTest {
 protected:
  Smoothness() {
    const Shape shape{static_cast<int64_t>(kPoints.size())};
    args_ = {HostArray::from_doubles({DType::kF32, shape}, kPoints)};
    const ir::Tracing tracing(graph_);
    graph_.set_outputs(outputs(graph_.input(args_[0].type())));
  }

  Graph graph_;
  std::vector<HostArray> args_;
};

TEST_F(Smoothness, OnTheHost) {
  check(ir::evaluate(graph_, args_));
}

TEST_F(Smoothness, Compiled) {
  check(run_on_device(client(), graph_, args_));
}

}  // namespace
}  // namespace kexue::testing
