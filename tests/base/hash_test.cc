#include "kexue/base/hash.h"

#include <gtest/gtest.h>

namespace kexue {
namespace {

TEST(Hash, EmptyInputHasThePublishedValue) {
  EXPECT_EQ(hash128(std::string_view("")), "99aa06d3014798d86001c324468d497f");
}

TEST(Hash, PartsGiveTheSameHash) {
  Hasher h;
  h.update(std::string_view("ab"));
  h.update(std::string_view("c"));
  EXPECT_EQ(h.hex(), hash128(std::string_view("abc")));
}

}  // namespace
}  // namespace kexue
