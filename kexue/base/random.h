// Counter-based random numbers: Threefry-2x32 with 20 rounds.
#pragma once

#include <array>
#include <cstdint>

namespace kexue {

// One of 2^64 independent streams. Equal keys give equal numbers on every
// machine, in every order and for every thread count.
struct Key {
  uint32_t a = 0;
  uint32_t b = 0;
  bool operator==(const Key&) const = default;

  static Key from_seed(uint64_t seed);
  // A key for part `index` of this one: layer, step, epoch, parameter...
  Key fold_in(uint64_t index) const;
};

// Two words of stream `key` at counter (x0, x1).
// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
std::array<uint32_t, 2> threefry2x32(Key key, uint32_t x0, uint32_t x1);

// Sequential reader of one stream; the position is its whole state.
class Random final {
 public:
  explicit Random(Key key, uint64_t position = 0);

  uint64_t position() const { return position_; }
  uint64_t next_u64();
  // Uniform in [0, 1), 53 bits.
  double uniform();
  // Uniform in 0..n-1 without bias; n >= 1.
  uint64_t below(uint64_t n);
  double normal();
  // Normal with the given deviation, redrawn until |x| <= 2 deviations.
  double truncated_normal(double stddev);

 private:
  Key key_;
  uint64_t position_;
};

}  // namespace kexue
