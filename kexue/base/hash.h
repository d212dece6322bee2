// XXH3-128 of bytes: cache keys and checksums (not a defence against forgery).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace kexue {

// 32 lower-case hexadecimal digits.
std::string hash128(std::span<const std::byte> bytes);
std::string hash128(std::string_view text);

// The same hash, fed in parts.
class Hasher final {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kexue
