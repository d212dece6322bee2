#include "kexue/base/random.h"

#include <bit>
#include <cmath>
#include <numbers>

namespace kexue {

std::array<uint32_t, 2> threefry2x32(Key key, uint32_t x0, uint32_t x1) {
  constexpr std::array<std::array<int, 4>, 2> kRotations = {
      {{13, 15, 26, 6}, {17, 29, 16, 24}}};
  const std::array<uint32_t, 3> k = {key.a, key.b, key.a ^ key.b ^ 0x1BD11BDAU};
  x0 += k[0];
  x1 += k[1];
  for (uint32_t block = 0; block < 5; ++block) {
    for (const int r : kRotations[block % 2]) {
      x0 += x1;
      x1 = std::rotl(x1, r) ^ x0;
    }
    x0 += k[(block + 1) % 3];
    x1 += k[(block + 2) % 3] + block + 1;
  }
  return {x0, x1};
}

Key Key::from_seed(uint64_t seed) {
  return {static_cast<uint32_t>(seed >> 32), static_cast<uint32_t>(seed)};
}

Key Key::fold_in(uint64_t index) const {
  const auto w = threefry2x32(
      *this, static_cast<uint32_t>(index >> 32), static_cast<uint32_t>(index));
  return {w[0], w[1]};
}

Random::Random(Key key, uint64_t position) : key_(key), position_(position) {}

uint64_t Random::next_u64() {
  const auto w = threefry2x32(key_,
                              static_cast<uint32_t>(position_ >> 32),
                              static_cast<uint32_t>(position_));
  ++position_;
  return (static_cast<uint64_t>(w[0]) << 32) | w[1];
}

double Random::uniform() {
  return static_cast<double>(next_u64() >> 11) * 0x1.0p-53;
}

uint64_t Random::below(uint64_t n) {
  const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
  uint64_t x = next_u64();
  while (x >= limit) x = next_u64();
  return x % n;
}

double Random::normal() {
  // Box-Muller; 1 - u keeps the logarithm finite.
  const double r = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return r * std::cos(2.0 * std::numbers::pi * uniform());
}

double Random::truncated_normal(double stddev) {
  double x = normal();
  while (std::fabs(x) > 2.0) x = normal();
  return x * stddev;
}

}  // namespace kexue
