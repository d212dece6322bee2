// Question: how small can a + b + c be for N = ab + c, and how fast is it
//           found?
// Source:   article 9775 (2023-09-20)
// Command:  kexue recipe run ab-plus-c
// Budget:   below 1 s on one core, 20 MB
// Expected: below; exact, but for the slopes
#include "kexue/science/abc.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kexue/base/error.h"
#include "kexue/science/abc_costs.h"
#include "recipes/recipe.h"

namespace kexue::recipes {
namespace {

using science::AbcMethod;

constexpr uint64_t kTop = 20'000;

// What the article's interval makes of n, or 0 if it is empty.
std::string by_article(uint64_t n) {
  try {
    return science::min_abc(std::to_string(n), AbcMethod::kArticle).s;
  } catch (const Error& e) {
    if (e.code() != Code::kUnsupported) throw;
    return "0";
  }
}

// The better of r*r + c and r*(r+1) + c with r = floor(sqrt n).
uint64_t nearest_square(uint64_t n) {
  auto r = static_cast<uint64_t>(std::sqrt(static_cast<double>(n)));
  const uint64_t square = 2 * r + (n - r * r);
  if (r * (r + 1) > n) return square;
  return std::min(square, 2 * r + 1 + (n - r * (r + 1)));
}

void check_table(Context& context) {
  const auto rows = science::min_abc_table(1, kTop);
  uint64_t sum = 0;
  int64_t naive_fails = 0;
  int64_t article_fails = 0;
  int64_t differ = 0;
  report::Table wrong{.columns = {"N", "article's interval", "least S"}};
  for (const auto& row : rows) {
    sum += row.s;
    if (row.n == 1000) context.check("sum of S(1..1000)", double(sum));
    if (row.n >= 4 && nearest_square(row.n) != row.s) ++naive_fails;
    const std::string n = std::to_string(row.n);
    const std::string s = std::to_string(row.s);
    for (const auto method :
         {AbcMethod::kSqrt, AbcMethod::kParity, AbcMethod::kSumDiff}) {
      if (science::min_abc(n, method).s != s) ++differ;
    }
    const std::string article = by_article(row.n);
    if (article == s) continue;
    ++article_fails;
    wrong.rows.push_back({n, article == "0" ? "empty" : article, s});
  }
  context.check("sum of S(1..20000)", double(sum));
  context.check("methods that differ, N <= 20000", double(differ));
  context.check("article's interval wrong, N <= 20000", double(article_fails));
  context.check("nearest square wrong, 4 <= N <= 20000", double(naive_fails));
  context.page().heading("Where the printed interval is wrong");
  context.page().table(wrong);
}

void check_large(Context& context) {
  const auto big = science::min_abc("170141183460469231731687303715884105727");
  context.check_exact("S of 2^127 - 1", big.s);
  context.check_exact("c of 2^127 - 1", big.triple.c);
  context.check("candidates for 2^127 - 1", double(big.candidates));
  context.check_exact("S of 123456789012345678",
                      science::min_abc("123456789012345678").s);
}

void check_costs(Context& context) {
  const auto costs =
      science::abc_costs(6, 17, 1, context.quick() ? 10 : 100, context.seed());
  const char* names[] = {"slope of article",
                         "slope of sqrt",
                         "slope of parity",
                         "slope of sumdiff",
                         "slope of pruned"};
  for (size_t m = 0; m < std::size(names); ++m) {
    context.check(names[m], costs.slope(m));
  }
  context.page().chart(science::costs_chart(costs));
}

void run(Context& context) {
  check_large(context);
  check_costs(context);
  check_table(context);
}

}  // namespace

Recipe ab_plus_c() {
  const std::string brute = "brute force over all a, b";
  return {
      .name = "ab-plus-c",
      .title = "The least a + b + c with N = ab + c",
      .question =
          "How small can a + b + c be for N = ab + c in integers from "
          "0 on, and what does it cost to be certain?",
      .source = "article 9775 (2023-09-20)",
      .method =
          "Walk over p = a + b from isqrt(4N) up. For each p the least "
          "fitting b - a gives the best c, and no p beyond the best sum "
          "found can win. The article's three methods serve as checks; "
          "its printed interval (sqrt(N/2), sqrt N] misses the optimum "
          "for 31 values of N up to 20000.",
      .budget =
          "below 1 s on one core, 20 MB; --quick draws fewer numbers for "
          "the slopes",
      .is_random = true,
      .expected =
          {exactly("S of 2^127 - 1", "26087635650668134016", "two methods"),
           exactly("c of 2^127 - 1", "2075991", "two methods"),
           exactly("candidates for 2^127 - 1", 2569591, "independent program"),
           exactly("S of 123456789012345678", "702728687", "two methods"),
           {"slope of article", 0.5, 0.005, "article: O(N^(1/2))"},
           {"slope of sqrt", 0.375, 0.01, "derived: O(N^(3/8))"},
           {"slope of parity", 0.25, 0.01, "article: O(N^(1/4))"},
           {"slope of sumdiff", 0.25, 0.01, "article: O(N^(1/4))"},
           {"slope of pruned", 1.0 / 6, 0.025, "heuristic: N^(1/6)"},
           exactly("sum of S(1..1000)", 44391, brute),
           exactly("sum of S(1..20000)", 3857260, brute),
           exactly("methods that differ, N <= 20000", 0, brute),
           exactly("article's interval wrong, N <= 20000", 31, brute),
           exactly("nearest square wrong, 4 <= N <= 20000", 18158, brute)},
      .run = run};
}

}  // namespace kexue::recipes
