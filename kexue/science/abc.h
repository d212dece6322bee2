// The least a + b + c with N = a*b + c in integers a, b, c >= 0.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kexue::science {

// How the minimum is found. Symbols: p = a+b, q = b-a, t = p^2 - 4N; then
// c = (q^2 - t) / 4 and S = p + c, so that q should be the least number with
// p's parity and q^2 >= t. With p0 = isqrt(4N) no smaller p can win.
//
//   kArticle  a in (sqrt(N/2), sqrt N], b = floor(N/a): as printed, and wrong
//             for 31 values of N up to 20000
//   kSqrt     the same scan from a start that no optimum lies below:
//             (P - sqrt(P^2 - 4N)) / 2, about N^(3/8) candidates
//   kParity   a+b even and odd apart, up to 2 sqrt N + 3 + 2 sqrt(1 + 2 sqrt N)
//   kSumDiff  p from p0 to P = 2 sqrt N + 2 + sqrt(1 + 4 sqrt N): O(N^(1/4))
//   kPruned   p from p0 until p >= the best S so far (S >= p): about N^(1/6)
//             candidates, never more than kSumDiff
//
// All but kArticle are certain for every N >= 1.
// Source: article 9775; kPruned and the start of kSqrt are derived from it.
enum class AbcMethod { kAuto, kArticle, kSqrt, kParity, kSumDiff, kPruned };

// "pruned", "article", ...; kNotFound for others. kAuto is kPruned.
AbcMethod abc_method(const std::string& name);
const char* to_string(AbcMethod method);

struct AbcTriple {
  std::string a, b, c;  // decimal, a <= b
  bool operator==(const AbcTriple&) const = default;
};

struct AbcResult {
  std::string s;
  AbcTriple triple;
  uint64_t candidates = 0;  // a of a scan, or p above p0
};

// Called now and then with the number of candidates looked at.
using AbcProgress = std::function<void(double)>;

// Ties go to the least a+b, so to the largest c; for N >= 4 never to a*b = 0.
//
// Numerics: exact for every N; 64-bit, 128-bit, then GMP arithmetic.
// Errors:   kInvalidArgument naming the text if N is no decimal number from 0
//           on; kUnsupported beyond 10000 digits, or if kArticle's interval is
//           empty (N = 2, 3, 8).
AbcResult min_abc(const std::string& n,
                  AbcMethod method = AbcMethod::kAuto,
                  const AbcProgress& progress = {});

// Every optimum, a+b rising.
std::vector<AbcTriple> min_abc_all(const std::string& n,
                                   const AbcProgress& progress = {});

// Candidates that a method looks at: exact where an interval decides, about
// 1.2 N^(1/6) for kPruned.
double expected_candidates(const std::string& n, AbcMethod method);

struct AbcRow {
  uint64_t n = 0;
  uint64_t s = 0, a = 0, b = 0, c = 0;
  uint64_t candidates = 0;
  // s - ceil(2 sqrt n), which nothing can be below for n >= 4.
  int64_t excess = 0;
};

inline constexpr uint64_t kAbcTableLimit = uint64_t{1} << 60;

// By kPruned. Errors: kInvalidArgument if n > kAbcTableLimit.
AbcRow min_abc_row(uint64_t n);
// Rows of lo..hi. Errors: kInvalidArgument if lo > hi, hi > kAbcTableLimit, or
// more than 10^8 rows.
std::vector<AbcRow> min_abc_table(uint64_t lo, uint64_t hi);

}  // namespace kexue::science
