// `./dev fuzz [SECONDS [FIRST_SEED]]`: random programs until the time is up.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "tests/ops/random_program.h"
#include "tests/pjrt/device_fixture.h"

namespace {

bool read(const char* text, uint64_t& out) {
  const char* end = text + std::strlen(text);
  const auto r = std::from_chars(text, end, out);
  return r.ec == std::errc() && r.ptr == end;
}

int fuzz(uint64_t seconds, uint64_t seed) {
  using Clock = std::chrono::steady_clock;
  using kexue::DType;
  const std::string path = kexue::pjrt::testing::plugin_path();
  if (path.empty()) {
    std::fprintf(stderr, "fuzz: no PJRT plugin found\n");
    return 2;
  }
  const auto client =
      kexue::pjrt::Client::create(kexue::pjrt::Plugin::load(path));
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  int64_t programs = 0;
  int64_t failed = 0;
  int64_t ill = 0;
  for (; Clock::now() < end; ++seed) {
    for (const DType type : {DType::kF64, DType::kF32}) {
      std::string wrong;
      try {
        wrong = kexue::testing::disagreement(client, seed, type, &ill);
      } catch (const kexue::Error& e) {
        wrong = "seed " + std::to_string(seed) + ": " + e.what();
      }
      ++programs;
      if (wrong.empty()) continue;
      ++failed;
      std::printf("FAILED %s\n", wrong.c_str());
    }
    if (seed % 50 == 0) {
      std::fprintf(stderr,
                   "fuzz: %ld programs, %ld failures, next seed %lu\n",
                   static_cast<long>(programs),
                   static_cast<long>(failed),
                   static_cast<unsigned long>(seed + 1));
    }
  }
  std::printf(
      "programs %ld, failures %ld, outputs too ill-conditioned to compare "
      "%ld, next seed %lu\n",
      static_cast<long>(programs),
      static_cast<long>(failed),
      static_cast<long>(ill),
      static_cast<unsigned long>(seed));
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t seconds = 60;
  uint64_t seed = 1'000'000;
  if (argc > 3 || (argc > 1 && !read(argv[1], seconds)) ||
      (argc > 2 && !read(argv[2], seed))) {
    std::fprintf(stderr, "usage: program_fuzz [SECONDS [FIRST_SEED]]\n");
    return 2;
  }
  return fuzz(seconds, seed);
}
