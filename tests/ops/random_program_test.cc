// Random programs: the plugin against the host evaluator, value and gradient.
#include "tests/ops/random_program.h"

#include <gtest/gtest.h>

#include <set>

#include "kexue/ir/print.h"
#include "tests/pjrt/device_fixture.h"

namespace kexue::testing {
namespace {

TEST(RandomProgram, ASeedGivesOneProgramOfTheStatedSize) {
  std::set<std::string> texts;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const RandomProgram a = random_program(seed, DType::kF64);
    const RandomProgram b = random_program(seed, DType::kF64);
    EXPECT_EQ(ir::print(*a.graph), ir::print(*b.graph));
    EXPECT_GE(a.nodes, 5);
    EXPECT_LE(a.nodes, 40);
    texts.insert(ir::print(*a.graph));
  }
  EXPECT_EQ(texts.size(), 20u);
}

class RandomPrograms : public pjrt::testing::DeviceTest {
 protected:
  void agree(DType type, uint64_t first, uint64_t count) const {
    int64_t ill = 0;
    for (uint64_t seed = first; seed < first + count; ++seed) {
      EXPECT_EQ(disagreement(client(), seed, type, &ill), "");
    }
    // A check that compares next to nothing would be none.
    EXPECT_LT(ill, static_cast<int64_t>(count) / 5);
  }
};

TEST_F(RandomPrograms, TwoHundredAgreeInF64) {
  agree(DType::kF64, 1000, 200);
}
TEST_F(RandomPrograms, OneHundredAgreeInF32) {
  agree(DType::kF32, 5000, 100);
}

}  // namespace
}  // namespace kexue::testing
