// Replays files named on the command line, or mutates the target's seeds:
//   fuzz_x FILE...            replay
//   fuzz_x --seconds=3 --seed=1
//   fuzz_x --runs=1000000 --seed=1
// The failing input is written to crash-<target>-<seed>-<run>.bin.
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>

#include "kexue/base/random.h"
#include "tests/fuzz/counted_heap.h"
#include "tests/fuzz/fuzz_target.h"

namespace kexue::fuzz {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxInput = 1 << 16;
constexpr long kMaxGrowthKiB = 256 * 1024;
constexpr double kMaxSeconds = 1;  // of processor time: others run here, too

std::string g_input;  // what a signal handler has to save
std::string g_crash_name;
size_t g_most_bytes = 0;  // that one input took

void save_input() {
  std::FILE* f = std::fopen(g_crash_name.c_str(), "wb");
  if (f == nullptr) return;
  std::fwrite(g_input.data(), 1, g_input.size(), f);
  std::fclose(f);
  std::fprintf(stderr, "input saved as %s\n", g_crash_name.c_str());
}

void on_signal(int signal) {
  save_input();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

long peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

double processor_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

void run_one(const std::string& input) {
  const double start = processor_seconds();
  const size_t before = live_bytes();
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()),
                         input.size());
  check(processor_seconds() - start < kMaxSeconds, "more than a second");
  g_most_bytes = std::max(g_most_bytes, take_peak_bytes() - before);
}

class Mutator final {
 public:
  explicit Mutator(uint64_t seed)
      : random_(Key::from_seed(seed)), corpus_(seeds()), words_(dictionary()) {}

  std::string next() {
    std::string s = pick(corpus_);
    const uint64_t steps = 1 + random_.below(4);
    for (uint64_t i = 0; i < steps; ++i) mutate(s);
    if (s.size() > kMaxInput) s.resize(kMaxInput);
    return s;
  }

 private:
  const std::string& pick(const std::vector<std::string>& from) {
    return from[random_.below(from.size())];
  }
  size_t position(const std::string& s) { return random_.below(s.size() + 1); }

  void mutate(std::string& s) {
    switch (random_.below(8)) {
      case 0:
        return flip_bit(s);
      case 1:
        return put_integer(s);
      case 2:
        s.resize(position(s));  // cut
        return;
      case 3: {  // splice
        const std::string& other = pick(corpus_);
        s = s.substr(0, position(s)) + other.substr(position(other));
        return;
      }
      case 4: {  // repeat a part
        const size_t at = position(s);
        const std::string part = s.substr(at, random_.below(64));
        const uint64_t times = 1 + random_.below(20);
        for (uint64_t i = 0; i < times; ++i) s.insert(at, part);
        return;
      }
      case 5:
        s.insert(position(s), pick(words_));
        return;
      case 6:
        s.erase(position(s), random_.below(16));
        return;
      default:
        return change_digits(s);
    }
  }

  void flip_bit(std::string& s) {
    if (s.empty()) return;
    char& c = s[random_.below(s.size())];
    c = static_cast<char>(static_cast<uint8_t>(c) ^ (1u << random_.below(8)));
  }

  void put_integer(std::string& s) {
    if (s.size() < 8) return;
    const uint64_t power = uint64_t{1} << random_.below(64);
    const uint64_t choices[] = {0, 1, power - 1, power, ~uint64_t{0}};
    const uint64_t value = choices[random_.below(5)];
    const size_t at = random_.below(s.size() / 8) * 8;
    std::memcpy(s.data() + at, &value, 8);
  }

  // Numbers in text are where the sizes stand.
  void change_digits(std::string& s) {
    const size_t at = s.find_first_of("0123456789", position(s));
    if (at == std::string::npos) return;
    const size_t end = s.find_first_not_of("0123456789", at);
    const uint64_t power = uint64_t{1} << random_.below(64);
    s.replace(at,
              (end == std::string::npos ? s.size() : end) - at,
              std::to_string(power - random_.below(2)));
  }

  Random random_;
  std::vector<std::string> corpus_;
  std::vector<std::string> words_;
};

struct Options {
  uint64_t seconds = 0;  // 0: 3, or without limit if runs are given
  uint64_t seed = 1;
  uint64_t runs = ~uint64_t{0};
  std::vector<std::string> files;
};

bool read_number(std::string_view text, std::string_view key, uint64_t* out) {
  if (!text.starts_with(key)) return false;
  text.remove_prefix(key.size());
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error == std::errc() && end == text.data() + text.size()) return true;
  std::fprintf(stderr,
               "not a number: %.*s\n",
               static_cast<int>(text.size()),
               text.data());
  std::exit(2);
}

int fuzz(const Options& options, const std::string& target) {
  Mutator mutator(options.seed);
  for (const auto& s : seeds()) run_one(g_input = s);
  const long before = peak_kib();
  const bool endless = options.seconds == 0 && options.runs != ~uint64_t{0};
  const uint64_t seconds = options.seconds == 0 ? 3 : options.seconds;
  const auto end = Clock::now() + (endless ? std::chrono::hours(1000)
                                           : std::chrono::seconds(seconds));
  uint64_t run = 0;
  for (; run < options.runs && Clock::now() < end; ++run) {
    g_input = mutator.next();
    g_crash_name = fmt::format("crash-{}-{}-{}.bin", target, options.seed, run);
    run_one(g_input);
  }
  check(peak_kib() - before < kMaxGrowthKiB, "memory grew by 256 MiB");
  std::printf("%s: %llu runs, seed %llu, no finding, at most %.1f MiB\n",
              target.c_str(),
              static_cast<unsigned long long>(run),
              static_cast<unsigned long long>(options.seed),
              static_cast<double>(g_most_bytes) / (1 << 20));
  return 0;
}

}  // namespace

void check(bool claim, const char* text) {
  if (claim) return;
  std::fprintf(stderr, "broken promise: %s\n", text);
  std::abort();
}

}  // namespace kexue::fuzz

int main(int argc, char** argv) {
  using namespace kexue::fuzz;
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (read_number(arg, "--seconds=", &options.seconds)) continue;
    if (read_number(arg, "--seed=", &options.seed)) continue;
    if (read_number(arg, "--runs=", &options.runs)) continue;
    options.files.emplace_back(arg);
  }
  const std::string path = argv[0];
  const std::string target = path.substr(path.rfind('/') + 1);
  g_crash_name = "crash-" + target + "-seed.bin";
  for (const int s : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    std::signal(s, on_signal);
  }
  if (options.files.empty()) return fuzz(options, target);
  for (const auto& file : options.files) {
    std::ifstream in(file, std::ios::binary);
    g_input.assign(std::istreambuf_iterator<char>(in), {});
    run_one(g_input);
    std::printf("%s: fine\n", file.c_str());
  }
  return 0;
}
