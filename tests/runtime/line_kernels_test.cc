// Sorting and running sums as kernels give what the compiler's own operations
// give: values and gradients of both orders, for each axis and type.
#include <gtest/gtest.h>

#include <functional>

#include "kexue/ops/ops.h"
#include "kexue/runtime/jit.h"
#include "kexue/transforms/grad.h"
#include "tests/support/check_close.h"
#include "tests/support/check_grads.h"
#include "tests/support/session_fixture.h"

namespace kexue::testing {
namespace {

using Build = std::function<Values(const Values&)>;

class LineKernels : public SessionTest {
 protected:
  static std::vector<HostArray> run(const Build& f,
                                    const std::vector<HostArray>& x,
                                    bool kernels) {
    const runtime::Session own({.use_cache = false, .use_kernels = kernels});
    return runtime::jit(own, f)(x);
  }

  static void check(const Build& f,
                    const std::vector<HostArray>& x,
                    double tolerance) {
    const auto fast = run(f, x, true);
    const auto plain = run(f, x, false);
    ASSERT_EQ(fast.size(), plain.size());
    for (size_t i = 0; i < fast.size(); ++i) {
      if (tolerance == 0) {
        EXPECT_TRUE(fast[i].identical(plain[i])) << "output " << i;
      } else {
        EXPECT_TRUE(close(fast[i], plain[i], {tolerance, tolerance}))
            << "output " << i;
      }
    }
  }
};

HostArray normal(DType d, const Shape& s, uint64_t seed) {
  return random_normal({d, s}, Key::from_seed(seed));
}

// Keys, values, places, and the slopes of both.
Values all_of_sort(const Values& x, const ops::SortOptions& options) {
  const Values s = ops::sort_by_key(x[0], {x[1] * x[1]}, options);
  Values out = s;
  out.push_back(ops::argsort(x[0], options));
  const Values g =
      transforms::gradients(weighted_sum({s[0] * s[1]}), {x[0], x[1]});
  out.insert(out.end(), g.begin(), g.end());
  return out;
}

TEST_F(LineKernels, SortsAsTheCompilerDoes) {
  const auto f = [](const Values& x) {
    Values out = all_of_sort(x, {.axis = 1, .descending = true});
    const Values last = all_of_sort(x, {.axis = 2});
    out.insert(out.end(), last.begin(), last.end());
    return out;
  };
  const Shape s{4, 70, 3};
  for (const DType d : {DType::kF32, DType::kBF16}) {
    check(f, {normal(d, s, 1), normal(d, s, 2)}, 0);
  }
}

TEST_F(LineKernels, SortsIntegersAndBools) {
  const Shape s{5, 100};
  const auto x = normal(DType::kF32, s, 3);
  check(
      [](const Values& v) -> Values {
        Values out;
        for (const DType d : {DType::kI32, DType::kI64, DType::kU8}) {
          out.push_back(ops::argsort(ops::convert(v[0] * 4.0, d)));
        }
        out.push_back(ops::argsort(ops::greater(v[0], ops::zeros_like(v[0]))));
        return out;
      },
      {x},
      0);
}

TEST_F(LineKernels, TopKGivesTheSamePlacesAndSlopes) {
  const auto f = [](const Values& x) -> Values {
    const auto top = ops::top_k(x[0], 5);
    return {top.values,
            top.indices,
            transforms::gradients(weighted_sum({top.values * top.values}),
                                  {x[0]})[0]};
  };
  check(f, {normal(DType::kF32, {3, 1000}, 4)}, 0);
}

TEST_F(LineKernels, CumlogsumexpAgreesToSecondOrder) {
  const auto f = [](const Values& x) -> Values {
    Values out;
    for (const int64_t axis : {0, 1}) {
      const Value y = ops::cumlogsumexp(x[0] * 5.0, axis, axis == 1);
      const Value g = transforms::gradients(weighted_sum({y}, 7), {x[0]})[0];
      const Value gg = transforms::gradients(weighted_sum({g}, 9), {x[0]})[0];
      out.insert(out.end(), {y, g, gg});
    }
    return out;
  };
  check(f, {normal(DType::kF32, {20, 9}, 5)}, 3e-4);
  check(f, {normal(DType::kF64, {20, 9}, 5)}, 1e-11);
}

TEST_F(LineKernels, CumlogsumexpOfBf16KeepsItsSlopesInF32) {
  const auto f = [](const Values& x) -> Values {
    const Value y = ops::cumlogsumexp(x[0], 0);
    return {y, transforms::gradients(weighted_sum({y}), {x[0]})[0]};
  };
  check(f, {normal(DType::kBF16, {300}, 6)}, 1e-2);
}

}  // namespace
}  // namespace kexue::testing
