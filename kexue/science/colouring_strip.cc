// Chains and rings by powers of their transfer matrix.
#include <fmt/format.h>

#include <cmath>

#include "kexue/base/error.h"
#include "kexue/science/colouring.h"
#include "kexue/science/detail/big.h"
#include "kexue/science/detail/colour_rules.h"

namespace kexue::science {
namespace {

using detail::Big;

constexpr size_t kMaxRows = 256;
constexpr double kMaxDigits = 300'000;
constexpr uint64_t kMaxSquares = 1'000'000'000'000'000'000;

// Numbers modulo m; m fits in 63 bits.
struct Modular {
  uint64_t modulo;

  using Num = uint64_t;
  uint64_t one() const { return 1 % modulo; }
  uint64_t of(uint64_t v) const { return v % modulo; }
  void add_product(uint64_t& to, uint64_t a, uint64_t b) const {
    to = static_cast<uint64_t>((static_cast<detail::Uint128>(a) * b + to) %
                               modulo);
  }
};

struct Exact {
  using Num = Big;
  Big one() const { return 1; }
  Big of(uint64_t v) const { return detail::big_of(v); }
  void add_product(Big& to, const Big& a, const Big& b) const { to += a * b; }
};

// States: the colour of the side to come, and the labels of the last
// window - 1 squares, the latest in the lowest digit.
template <class Ring>
class Strip final {
 public:
  using Num = typename Ring::Num;
  using Matrix = std::vector<Num>;

  Strip(const StripProblem& problem, Ring ring)
      : p_(problem), ring_(ring), k_(static_cast<size_t>(problem.colours)) {
    for (int i = 1; i < p_.window; ++i) histories_ *= k_;
    rows_ = k_ * histories_;
    squares();
  }

  Num count() {
    const Matrix m = matrix();
    if (p_.is_ring) return trace_of_power(m);
    // The first window - 1 squares close no window.
    std::vector<Num> v = start();
    uint64_t left = p_.squares - static_cast<uint64_t>(p_.window - 1);
    Matrix power = m;
    for (; left != 0; left >>= 1) {
      if ((left & 1) != 0) v = times(v, power);
      if (left > 1) power = times(power, power);
    }
    Num total = ring_.of(0);
    for (const Num& x : v) ring_.add_product(total, x, ring_.one());
    return total;
  }

 private:
  // ways_[s][t][l]: squares with left side s, right side t and label l.
  void squares() {
    ways_.assign(k_ * k_ * k_, 0);
    const int k = p_.colours;
    for (int s = 0; s < k; ++s) {
      for (int t = 0; t < k; ++t) {
        for (int rest = 0; rest < k * k; ++rest) {
          const int sides[] = {s, t, rest / k, rest % k};
          const int label = detail::label_of_colours(p_.cell_rule, sides, k);
          if (label >= 0) ++ways_[at(s, t, label)];
        }
      }
    }
  }
  size_t at(int s, int t, int label) const {
    return (static_cast<size_t>(s) * k_ + static_cast<size_t>(t)) * k_ +
           static_cast<size_t>(label);
  }

  // May a square with this label follow these?
  bool fits(size_t history, int label) const {
    if (p_.window == 1) return true;
    std::vector<int> labels(static_cast<size_t>(p_.window));
    labels.back() = label;
    for (size_t i = labels.size() - 1; i-- > 0; history /= k_) {
      labels[i] = static_cast<int>(history % k_);
    }
    return detail::holds(p_.rule, labels);
  }

  size_t follow(size_t history, int label) const {
    return (history * k_ + static_cast<size_t>(label)) % histories_;
  }

  Matrix matrix() const {
    Matrix m(rows_ * rows_, ring_.of(0));
    for (size_t h = 0; h < histories_; ++h) {
      for (int s = 0; s < p_.colours; ++s) {
        const size_t row = h * k_ + static_cast<size_t>(s);
        for (int t = 0; t < p_.colours; ++t) {
          for (int l = 0; l < p_.colours; ++l) {
            if (!fits(h, l)) continue;
            const size_t column = follow(h, l) * k_ + static_cast<size_t>(t);
            ring_.add_product(m[row * rows_ + column],
                              ring_.of(ways_[at(s, t, l)]),
                              ring_.one());
          }
        }
      }
    }
    return m;
  }

  // After window - 1 squares.
  std::vector<Num> start() const {
    std::vector<Num> v(rows_, ring_.of(0));
    for (size_t s = 0; s < k_; ++s) v[s] = ring_.one();
    for (int i = 1; i < p_.window; ++i) {
      std::vector<Num> next(rows_, ring_.of(0));
      for (size_t row = 0; row < rows_; ++row) {
        for (int t = 0; t < p_.colours; ++t) {
          for (int l = 0; l < p_.colours; ++l) {
            const size_t column =
                follow(row / k_, l) * k_ + static_cast<size_t>(t);
            ring_.add_product(
                next[column],
                v[row],
                ring_.of(ways_[at(static_cast<int>(row % k_), t, l)]));
          }
        }
      }
      v = std::move(next);
    }
    return v;
  }

  std::vector<Num> times(const std::vector<Num>& a, const Matrix& m) const {
    const size_t height = a.size() / rows_;  // 1 for a vector
    std::vector<Num> out(a.size(), ring_.of(0));
    for (size_t i = 0; i < height; ++i) {
      for (size_t j = 0; j < rows_; ++j) {
        const Num& x = a[i * rows_ + j];
        if (x == 0) continue;
        for (size_t c = 0; c < rows_; ++c) {
          ring_.add_product(out[i * rows_ + c], x, m[j * rows_ + c]);
        }
      }
    }
    return out;
  }

  Num trace_of_power(const Matrix& m) const {
    Matrix power = m;
    Matrix result;
    for (uint64_t left = p_.squares; left != 0; left >>= 1) {
      if ((left & 1) != 0)
        result = result.empty() ? power : times(result, power);
      if (left > 1) power = times(power, power);
    }
    Num total = ring_.of(0);
    for (size_t i = 0; i < rows_; ++i) {
      ring_.add_product(total, result[i * rows_ + i], ring_.one());
    }
    return total;
  }

  const StripProblem p_;
  Ring ring_;
  size_t k_;
  size_t histories_ = 1;
  size_t rows_;
  std::vector<uint64_t> ways_;
};

void refuse(Code code, const std::string& text, const std::string& hint = "") {
  throw Error(code, text, hint);
}

void check(const StripProblem& p, uint64_t modulo) {
  const char* shape = p.is_ring ? "ring" : "chain";
  const uint64_t least =
      p.is_ring ? std::max<uint64_t>(3, static_cast<uint64_t>(p.window)) : 1;
  if (p.colours < 1 || p.colours > detail::kMaxColours) {
    refuse(
        Code::kInvalidArgument,
        fmt::format(
            "got {} colours, wanted 1 to {}", p.colours, detail::kMaxColours));
  }
  if (p.window < 1 || p.window > 16) {
    refuse(Code::kInvalidArgument,
           fmt::format("got a window of {} squares, wanted 1 to 16", p.window));
  }
  if (p.squares < least || p.squares > kMaxSquares) {
    refuse(
        Code::kInvalidArgument,
        fmt::format(
            "a {} of {} squares, wanted {} to 10^18", shape, p.squares, least));
  }
  if (modulo >= uint64_t{1} << 63) {
    refuse(Code::kInvalidArgument,
           fmt::format("modulo {}, wanted less than 2^63", modulo));
  }
  const double rows = std::pow(p.colours, p.window);
  if (rows > static_cast<double>(kMaxRows)) {
    refuse(Code::kUnsupported,
           fmt::format("a transfer matrix of {:.0f} rows, the limit is {}",
                       rows,
                       kMaxRows),
           "fewer colours or a smaller window");
  }
  const double digits =
      3 * static_cast<double>(p.squares) * std::log10(p.colours);
  if (modulo == 0 && digits > kMaxDigits) {
    refuse(Code::kUnsupported,
           fmt::format("a {} of {} squares: up to {:.3g} digits, the limit is "
                       "{:.0f}",
                       shape,
                       p.squares,
                       digits,
                       kMaxDigits),
           "--modulo M gives the remainder");
  }
}

}  // namespace

std::string count_strip(const StripProblem& problem, uint64_t modulo) {
  check(problem, modulo);
  StripProblem p = problem;
  // A chain shorter than the window has none.
  if (p.squares < static_cast<uint64_t>(p.window)) p.window = 1;
  if (modulo == 0) return Strip<Exact>(p, {}).count().get_str();
  return std::to_string(Strip<Modular>(p, {modulo}).count());
}

}  // namespace kexue::science
