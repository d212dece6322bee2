#include "kexue/science/abc.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/io/printable.h"
#include "kexue/science/detail/abc_walk.h"
#include "kexue/science/detail/big.h"

namespace kexue::science {
namespace {

using detail::Big;
using detail::ceil_sqrt;

constexpr size_t kMaxDigits = 10'000;
constexpr uint64_t kMaxRows = 100'000'000;

// Places behind the binary point where bounds are irrational.
constexpr unsigned kFraction = 64;

Big parse(const std::string& text) {
  const bool is_number =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c >= '0' && c <= '9';
      });
  if (!is_number) {
    throw Error(Code::kInvalidArgument,
                fmt::format("N is \"{}\", wanted a decimal number without a "
                            "sign",
                            io::printable(text)));
  }
  if (text.size() > kMaxDigits) {
    throw Error(
        Code::kUnsupported,
        fmt::format(
            "N has {} digits, the limit is {}", text.size(), kMaxDigits));
  }
  return Big(text, 10);
}

// x + 3/2 ... bounds of the form floor(u + x + m sqrt(1 + k x)), x = 2 sqrt N,
// rounded up by less than 2^-60.
Big bound(const Big& n, unsigned u, unsigned m, unsigned k) {
  const Big one = Big(1) << kFraction;
  const Big x = sqrt(Big(Big(4 * n) << (2 * kFraction))) + 1;
  const Big root = sqrt(Big(Big(one + k * x) << kFraction)) + 1;
  return Big(u * one + x + m * root) >> kFraction;
}

// The last p that can win: P of methods kSumDiff and kParity.
Big last_p(const Big& n, AbcMethod method) {
  return method == AbcMethod::kParity ? bound(n, 3, 2, 1) : bound(n, 2, 1, 2);
}

struct Interval {
  Big first, last;
};

Interval scan_interval(const Big& n, AbcMethod method) {
  Interval out{.first = 0, .last = sqrt(n)};
  if (method == AbcMethod::kArticle) {
    out.first = sqrt(Big(n / 2)) + 1;
    return out;
  }
  const Big p = last_p(n, AbcMethod::kSumDiff) + 1;
  const Big root = ceil_sqrt(Big(p * p - 4 * n));
  out.first = p > root ? Big((p - root) / 2) : Big(1);
  if (out.first < 1) out.first = 1;
  return out;
}

struct Best {
  Big s = -1;  // none yet
  Big a, b, c;
  uint64_t candidates = 0;
};

// The best of b = floor(n / a) over first <= a <= last; (S, a+b) decides.
template <class U>
Best scan(U n, U first, U last, const AbcProgress& progress) {
  U best_s = 0;
  U best_a = 0;
  uint64_t count = 0;
  for (U a = first; a <= last; ++a, ++count) {
    const U b = n / a;
    const U s = a + b + (n - a * b);
    // a rises and a+b falls with it: the later of two equals has the less p.
    if (best_a == 0 || s <= best_s) {
      best_s = s;
      best_a = a;
    }
    if ((count & 0xFFFFFF) == 0xFFFFFF && progress) {
      progress(static_cast<double>(count));
    }
  }
  Best out;
  out.candidates = count;
  if (best_a == 0) return out;
  if constexpr (std::is_same_v<U, Big>) {
    out.s = best_s;
    out.a = best_a;
  } else {
    out.s = detail::big_of(static_cast<detail::Int128>(best_s));
    out.a = detail::big_of(static_cast<detail::Int128>(best_a));
  }
  return out;
}

Best by_scan(const Big& n, AbcMethod method, const AbcProgress& progress) {
  const Interval in = scan_interval(n, method);
  Best out;
  if (detail::fits(n, 62)) {
    const auto u = [](const Big& v) { return v.get_ui(); };
    out = scan<uint64_t>(u(n), u(in.first), u(in.last), progress);
  } else if (detail::fits(n, 125)) {
    using U = detail::Uint128;
    const auto u = [](const Big& v) {
      return static_cast<U>(detail::int128_of(v));
    };
    out = scan<U>(u(n), u(in.first), u(in.last), progress);
  } else {
    out = scan<Big>(n, in.first, in.last, progress);
  }
  if (out.s < 0) {
    throw Error(Code::kUnsupported,
                fmt::format("N = {}: the article's interval (sqrt(N/2), "
                            "sqrt N] holds no integer",
                            n.get_str()),
                "--method pruned is right for every N");
  }
  out.b = n / out.a;
  out.c = n - out.a * out.b;
  return out;
}

Best from_walk(const Big& n, const detail::Walk& walk) {
  Best out;
  out.candidates = walk.candidates;
  const Big p = walk.start.p0 + detail::big_of(walk.best_k);
  out.a = (p - walk.best_q) / 2;
  out.b = (p + walk.best_q) / 2;
  out.c = n - out.a * out.b;
  out.s = p + out.c;
  return out;
}

Best best_of(const Big& n, AbcMethod method, const AbcProgress& progress) {
  const bool is_scan =
      method == AbcMethod::kArticle || method == AbcMethod::kSqrt;
  // a*b = 0 wins only here (and ties for 4 and 5), and no method of the article
  // looks at it.
  if (n < 4 && method != AbcMethod::kArticle) {
    return {.s = n, .a = 0, .b = 0, .c = n, .candidates = 0};
  }
  if (is_scan) return by_scan(n, method, progress);
  const detail::WalkStart start(n);
  if (method != AbcMethod::kParity && method != AbcMethod::kSumDiff) {
    return from_walk(n, detail::walk(start, nullptr, progress));
  }
  const Big steps = last_p(n, method) - start.p0;
  return from_walk(n, detail::walk(start, &steps, progress));
}

}  // namespace

AbcMethod abc_method(const std::string& name) {
  for (const AbcMethod m : {AbcMethod::kAuto,
                            AbcMethod::kArticle,
                            AbcMethod::kSqrt,
                            AbcMethod::kParity,
                            AbcMethod::kSumDiff,
                            AbcMethod::kPruned}) {
    if (name == to_string(m)) return m;
  }
  throw Error(Code::kNotFound,
              fmt::format("no method \"{}\"", io::printable(name)),
              "auto, pruned, sumdiff, parity, sqrt, article");
}

const char* to_string(AbcMethod method) {
  switch (method) {
    case AbcMethod::kArticle:
      return "article";
    case AbcMethod::kSqrt:
      return "sqrt";
    case AbcMethod::kParity:
      return "parity";
    case AbcMethod::kSumDiff:
      return "sumdiff";
    case AbcMethod::kPruned:
      return "pruned";
    case AbcMethod::kAuto:
      break;
  }
  return "auto";
}

AbcResult min_abc(const std::string& n,
                  AbcMethod method,
                  const AbcProgress& progress) {
  const Best best = best_of(parse(n), method, progress);
  return {.s = best.s.get_str(),
          .triple = {best.a.get_str(), best.b.get_str(), best.c.get_str()},
          .candidates = best.candidates};
}

std::vector<AbcTriple> min_abc_all(const std::string& text,
                                   const AbcProgress& progress) {
  const Big n = parse(text);
  const std::string number = n.get_str();
  if (n < 4) return {{"0", "0", number}};
  std::vector<AbcTriple> out;
  // Where nothing beats a*b = 0 but 2*2 + c reaches it.
  if (n <= 5) out.push_back({"0", "0", number});
  const detail::WalkStart start(n);
  const detail::Walk best = detail::walk(start, nullptr, progress);
  for (const auto& [k, q] : detail::all_best(start, best, progress)) {
    const Big p = start.p0 + detail::big_of(k);
    const Big a = (p - q) / 2;
    const Big b = (p + q) / 2;
    out.push_back({a.get_str(), b.get_str(), Big(n - a * b).get_str()});
  }
  return out;
}

double expected_candidates(const std::string& text, AbcMethod method) {
  const Big n = parse(text);
  if (n < 4) return 1;
  switch (method) {
    case AbcMethod::kArticle:
    case AbcMethod::kSqrt: {
      const Interval in = scan_interval(n, method);
      return in.last < in.first ? 0 : Big(in.last - in.first + 1).get_d();
    }
    case AbcMethod::kParity:
    case AbcMethod::kSumDiff:
      return Big(last_p(n, method) - sqrt(Big(4 * n))).get_d();
    case AbcMethod::kAuto:
    case AbcMethod::kPruned:
      break;
  }
  long exponent = 0;  // n may be beyond a double
  const double mantissa = mpz_get_d_2exp(&exponent, n.get_mpz_t());
  return 1.2 *
         std::exp2((std::log2(mantissa) + static_cast<double>(exponent)) / 6);
}

AbcRow min_abc_row(uint64_t n) {
  if (n > kAbcTableLimit) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "N = {} is above the limit {} of tables", n, kAbcTableLimit));
  }
  return detail::walk_small(n);
}

std::vector<AbcRow> min_abc_table(uint64_t lo, uint64_t hi) {
  if (lo > hi || hi > kAbcTableLimit || hi - lo >= kMaxRows) {
    throw Error(Code::kInvalidArgument,
                fmt::format("table {}:{}, wanted LO <= HI <= {} and at most {} "
                            "rows",
                            lo,
                            hi,
                            kAbcTableLimit,
                            kMaxRows));
  }
  std::vector<AbcRow> out;
  out.reserve(hi - lo + 1);
  for (uint64_t n = lo; n <= hi; ++n) out.push_back(detail::walk_small(n));
  return out;
}

}  // namespace kexue::science
