#include "kexue/base/hash.h"

#include <fmt/format.h>
#include <xxhash.h>

namespace kexue {
namespace {

std::string hex_of(XXH128_hash_t h) {
  return fmt::format("{:016x}{:016x}", h.high64, h.low64);
}

}  // namespace

std::string hash128(std::span<const std::byte> bytes) {
  return hex_of(XXH3_128bits(bytes.data(), bytes.size()));
}

std::string hash128(std::string_view text) {
  return hex_of(XXH3_128bits(text.data(), text.size()));
}

struct Hasher::State {
  XXH3_state_t* raw = XXH3_createState();
  State() { XXH3_128bits_reset(raw); }
  ~State() { XXH3_freeState(raw); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(state_->raw, bytes.data(), bytes.size());
}
void Hasher::update(std::string_view text) {
  XXH3_128bits_update(state_->raw, text.data(), text.size());
}
std::string Hasher::hex() const {
  return hex_of(XXH3_128bits_digest(state_->raw));
}

}  // namespace kexue
