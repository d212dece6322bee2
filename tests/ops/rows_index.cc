// Rows of gather, scatter and sort, and of what is made of them.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

In ids(const Shape& shape, const Doubles& v) {
  return {.shape = shape, .dtype = DType::kI32, .values = v};
}

double sq(double x) {
  return x * x;
}

void add_gather_rows(std::vector<Row>& rows) {
  // 2 x 2 blocks of x [4,5] at three places; the last two are clamped to
  // (2,3) and (0,0). The block's dims stand around the list.
  rows.push_back({"gather",
                  "gather blocks, clamped",
                  {{{4, 5}}, ids({3, 2}, {1, 2, 3, 9, -7, 0})},
                  [](const Values& x, DType) -> Values {
                    const ops::GatherDims d{.offset = {0, 2},
                                            .collapsed = {},
                                            .index_map = {0, 1},
                                            .index_vector = 1};
                    return {ops::gather(x[0] * x[0], x[1], d, {2, 2})};
                  },
                  [](const std::vector<Doubles>& x) {
                    const size_t at[3][2] = {{1, 2}, {2, 3}, {0, 0}};
                    Doubles y;
                    for (size_t i = 0; i < 2; ++i) {
                      for (const auto& p : at) {
                        for (size_t j = 0; j < 2; ++j) {
                          y.push_back(sq(x[0][(p[0] + i) * 5 + p[1] + j]));
                        }
                      }
                    }
                    return y;
                  },
                  3});
  // Components in the first dim of the indices, in the other order.
  rows.push_back({"gather",
                  "gather points, components first",
                  {{{3, 4}}, ids({2, 3}, {1, 3, 3, 2, 0, 0})},
                  [](const Values& x, DType) -> Values {
                    const ops::GatherDims d{.offset = {},
                                            .collapsed = {0, 1},
                                            .index_map = {1, 0},
                                            .index_vector = 0};
                    return {ops::gather(x[0] * x[0], x[1], d, {1, 1})};
                  },
                  [](const std::vector<Doubles>& x) {
                    return Doubles{sq(x[0][9]), sq(x[0][3]), sq(x[0][3])};
                  },
                  3});
  rows.push_back({"gather",
                  "gather of no places",
                  {{{3, 4}}, {.shape = {0, 1}, .dtype = DType::kI32}},
                  [](const Values& x, DType) -> Values {
                    const ops::GatherDims d{.offset = {1},
                                            .collapsed = {0},
                                            .index_map = {0},
                                            .index_vector = 1};
                    return {ops::gather(x[0], x[1], d, {1, 4})};
                  },
                  [](const std::vector<Doubles>&) { return Doubles{}; },
                  2});
  rows.push_back({"gather",
                  "take along the last axis",
                  {{{2, 3, 4}}, ids({2, 1}, {3, 1})},
                  [](const Values& x, DType) -> Values {
                    return {ops::take(x[0] * x[0], x[1], -1)};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (size_t i = 0; i < 6; ++i) {
                      for (const size_t j : {3, 1}) {
                        y.push_back(sq(x[0][i * 4 + j]));
                      }
                    }
                    return y;
                  },
                  3});
  rows.push_back({"gather",
                  "take along a middle axis",
                  {{{2, 3, 2}}, ids({3}, {2, 0, 2})},
                  [](const Values& x, DType) -> Values {
                    return {ops::take(x[0] * x[0], x[1], 1)};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (size_t i = 0; i < 2; ++i) {
                      for (const size_t j : {2, 0, 2}) {
                        y.push_back(sq(x[0][i * 6 + j * 2]));
                        y.push_back(sq(x[0][i * 6 + j * 2 + 1]));
                      }
                    }
                    return y;
                  },
                  3});
  rows.push_back({"gather",
                  "take_along_axis clamps and repeats",
                  {{{3, 2}}, ids({4, 2}, {0, 1, 2, 1, 9, -9, 2, 1})},
                  [](const Values& x, DType) -> Values {
                    return {ops::take_along_axis(x[0] * x[0], x[1], 0)};
                  },
                  [](const std::vector<Doubles>& x) {
                    const size_t at[] = {0, 3, 4, 3, 4, 1, 4, 3};
                    Doubles y;
                    for (const size_t i : at) y.push_back(sq(x[0][i]));
                    return y;
                  },
                  3});
  rows.push_back(
      {"gather",
       "gather of bool",
       {{.shape = {2, 3}, .dtype = DType::kBool, .values = {1, 0, 0, 0, 1, 1}},
        ids({2, 1}, {2, 0})},
       [](const Values& x, DType) -> Values {
         return {ops::take_along_axis(x[0], x[1], 1)};
       },
       [](const std::vector<Doubles>&) {
         return Doubles{0, 0};
       }});
}

// Blocks of two rows into x [4,2]: at 1, at 0, at 3 (does not fit) and at 1.
Row block_row(const std::string& name,
              ops::Combine how,
              double (*f)(double, double),
              int order) {
  return {"scatter",
          name,
          {{{4, 2}}, ids({4, 1}, {1, 0, 3, 1}), {{4, 2, 2}}},
          [how](const Values& x, DType) -> Values {
            const ops::GatherDims d{.offset = {1, 2},
                                    .collapsed = {},
                                    .index_map = {0},
                                    .index_vector = 1};
            return {ops::scatter(x[0] * 1.5, x[1], x[2] * x[2], d, how)};
          },
          [f](const std::vector<Doubles>& x) {
            Doubles y;
            for (const double v : x[0]) y.push_back(v * 1.5);
            const size_t at[] = {1, 0, 3, 1};
            for (size_t b = 0; b < 4; ++b) {
              if (at[b] == 3) continue;
              for (size_t i = 0; i < 4; ++i) {
                double& slot = y[at[b] * 2 + i];
                slot = f(slot, sq(x[2][b * 4 + i]));
              }
            }
            return y;
          },
          order};
}

// Points along an axis with an index outside and a repeat.
Row point_row(const std::string& name,
              ops::Combine how,
              double (*f)(double, double),
              int order) {
  return {
      "scatter",
      name,
      {{{2, 3}}, ids({2, 4}, {2, 0, 2, 7, 1, 1, -1, 0}), {{2, 4}}},
      [how](const Values& x, DType) -> Values {
        return {ops::put_along_axis(x[0] * x[0], x[1], x[2] * x[2], 1, how)};
      },
      [f](const std::vector<Doubles>& x) {
        Doubles y;
        for (const double v : x[0]) y.push_back(sq(v));
        for (size_t i = 0; i < 8; ++i) {
          const double at = x[1][i];
          if (at < 0 || at > 2) continue;
          double& slot = y[(i / 4) * 3 + static_cast<size_t>(at)];
          slot = f(slot, sq(x[2][i]));
        }
        return y;
      },
      order};
}

void add_scatter_rows(std::vector<Row>& rows) {
  using ops::Combine;
  const auto set = [](double, double b) { return b; };
  const auto add = [](double a, double b) { return a + b; };
  const auto mul = [](double a, double b) { return a * b; };
  const auto max = [](double a, double b) { return std::max(a, b); };
  const auto min = [](double a, double b) { return std::min(a, b); };
  rows.push_back(block_row("scatter blocks, set", Combine::kSet, set, 3));
  rows.push_back(block_row("scatter blocks, add", Combine::kAddTo, add, 3));
  rows.push_back(
      block_row("scatter blocks, mul", Combine::kMultiplyBy, mul, 0));
  rows.push_back(
      block_row("scatter blocks, max", Combine::kKeepLarger, max, 3));
  rows.push_back(
      block_row("scatter blocks, min", Combine::kKeepSmaller, min, 3));
  rows.push_back(point_row("put_along_axis, set", Combine::kSet, set, 3));
  rows.push_back(point_row("put_along_axis, add", Combine::kAddTo, add, 3));
  rows.push_back(
      point_row("put_along_axis, max", Combine::kKeepLarger, max, 3));
  rows.push_back(
      point_row("put_along_axis, min", Combine::kKeepSmaller, min, 3));
  rows.push_back({"scatter",
                  "scatter of nothing",
                  {{{3}}, {.shape = {0}, .dtype = DType::kI32}, {{0}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::put_along_axis(x[0], x[1], x[2], 0)};
                  },
                  [](const std::vector<Doubles>& x) { return x[0]; },
                  2});
  rows.push_back({"scatter",
                  "scatter into nothing",
                  {{{0}}, ids({2}, {0, 1}), {{2}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::put_along_axis(x[0], x[1], x[2], 0)};
                  },
                  [](const std::vector<Doubles>&) { return Doubles{}; },
                  2});
  for (const auto how : {Combine::kKeepLarger, Combine::kKeepSmaller}) {
    rows.push_back({"scatter",
                    "scatter passes NaN on",
                    {{.shape = {4}, .values = {1, kNan, 3, -kInf}},
                     ids({4}, {0, 1, 2, 3}),
                     {.shape = {4}, .values = {kNan, 2, kInf, 2}}},
                    [how](const Values& x, DType) -> Values {
                      return {ops::put_along_axis(x[0], x[1], x[2], 0, how)};
                    },
                    [how](const std::vector<Doubles>&) {
                      return how == Combine::kKeepLarger
                                 ? Doubles{kNan, kNan, kInf, 2}
                                 : Doubles{kNan, kNan, 3, -kInf};
                    }});
  }
  for (const DType d : {DType::kI64, DType::kU8, DType::kBool}) {
    const bool b = d == DType::kBool;
    rows.push_back(
        {"scatter",
         "scatter adds " + std::string(name(d)),
         {{.shape = {3}, .dtype = d, .values = {1, 0, 0}},
          ids({3}, {0, 1, 1}),
          {.shape = {3}, .dtype = d, .values = {1, 1, 1}}},
         [](const Values& x, DType) -> Values {
           return {ops::put_along_axis(x[0], x[1], x[2], 0, Combine::kAddTo)};
         },
         [b](const std::vector<Doubles>&) {
           return b ? Doubles{1, 1, 0} : Doubles{2, 2, 0};
         }});
  }
}

// Sorted columns of x [n,m] along axis 0, NaN last, no op of ours.
Doubles sorted_columns(Doubles x, size_t m, bool down) {
  const size_t n = x.size() / m;
  for (size_t j = 0; j < m; ++j) {
    Doubles column;
    size_t nans = 0;
    for (size_t i = 0; i < n; ++i) {
      const double v = x[i * m + j];
      if (std::isnan(v)) {
        ++nans;
      } else {
        column.push_back(v);
      }
    }
    std::sort(column.begin(), column.end());
    if (down) std::reverse(column.begin(), column.end());
    column.insert(column.end(), nans, kNan);
    for (size_t i = 0; i < n; ++i) x[i * m + j] = column[i];
  }
  return x;
}

void add_order_rows(std::vector<Row>& rows) {
  for (const bool down : {false, true}) {
    const std::string how = down ? ", descending" : "";
    const auto sort = [down](int64_t axis) {
      return [=](const Values& x, DType) -> Values {
        return {
            ops::sort(x[0] * x[0] * x[0], {.axis = axis, .descending = down})};
      };
    };
    const auto want = [down](size_t m) {
      return [=](const std::vector<Doubles>& x) {
        Doubles y;
        for (const double v : x[0]) y.push_back(v * v * v);
        return sorted_columns(y, m, down);
      };
    };
    rows.push_back({"sort", "sort" + how, {{{7}}}, sort(-1), want(1), 3});
    rows.push_back(
        {"sort", "sort the first axis" + how, {{{5, 3}}}, sort(0), want(3), 3});
    rows.push_back({"sort",
                    "sort nothing" + how,
                    {{{0, 3}}},
                    sort(0),
                    [](const std::vector<Doubles>&) { return Doubles{}; },
                    2});
    rows.push_back({"sort",
                    "sort at edges" + how,
                    {{.shape = {8},
                      .values = {kNan, 1, -kInf, kInf, kNan, -2, 1.5, -kInf}}},
                    sort(0),
                    want(1)});
    // Stable: equal keys (and -0, 0) keep their values in order.
    rows.push_back(
        {"sort",
         "sort_by_key is stable" + how,
         {{.shape = {6}, .values = {2, -0.0, kNan, 0, 2, kNan}},
          ids({6}, {0, 1, 2, 3, 4, 5})},
         [down](const Values& x, DType) -> Values {
           return {ops::sort_by_key(x[0], {x[1]}, {.descending = down})[1]};
         },
         [down](const std::vector<Doubles>&) {
           return down ? Doubles{0, 4, 1, 3, 2, 5} : Doubles{1, 3, 0, 4, 2, 5};
         }});
    for (const DType d : {DType::kI64, DType::kU32, DType::kBool}) {
      const bool b = d == DType::kBool;
      rows.push_back(
          {"sort",
           "argsort of " + std::string(name(d)) + how,
           {{.shape = {4},
             .dtype = d,
             .values =
                 b ? Doubles{1, 0, 1, 0} : Doubles{7, 4294967295.0, 3, 7}}},
           [down](const Values& x, DType) -> Values {
             return {ops::argsort(x[0], {.descending = down})};
           },
           [=](const std::vector<Doubles>&) {
             if (b) {
               return down ? Doubles{0, 2, 1, 3} : Doubles{1, 3, 0, 2};
             }
             return down ? Doubles{1, 0, 3, 2} : Doubles{2, 0, 3, 1};
           }});
    }
  }
  // Gradients flow through the keys and each value.
  rows.push_back({"sort",
                  "sort_by_key moves values",
                  {{{2, 4}}, {{2, 4}}},
                  [](const Values& x, DType) -> Values {
                    const Values s = ops::sort_by_key(x[0], {x[1] * x[1]});
                    return {s[0] * s[1]};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (const size_t line : {0, 4}) {
                      std::vector<size_t> order = {0, 1, 2, 3};
                      std::sort(
                          order.begin(), order.end(), [&](size_t i, size_t j) {
                            return x[0][line + i] < x[0][line + j];
                          });
                      for (const size_t i : order) {
                        y.push_back(x[0][line + i] * sq(x[1][line + i]));
                      }
                    }
                    return y;
                  },
                  3});
  rows.push_back({"top_k",
                  "top_k of columns",
                  {{{5, 2}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::top_k(x[0] * x[0] * x[0], 2, 0).values};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (const double v : x[0]) y.push_back(v * v * v);
                    y = sorted_columns(y, 2, true);
                    y.resize(4);
                    return y;
                  },
                  3});
  rows.push_back({"top_k",
                  "places of top_k",
                  {{.shape = {1, 6}, .values = {1, kNan, 3, 3, -kInf, 3}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::top_k(x[0], 6).indices};
                  },
                  [](const std::vector<Doubles>&) {
                    return Doubles{2, 3, 5, 0, 4, 1};
                  }});
}

}  // namespace

void add_gather_scatter_rows(std::vector<Row>& rows) {
  add_gather_rows(rows);
  add_scatter_rows(rows);
}

void add_sort_rows(std::vector<Row>& rows) {
  add_order_rows(rows);
}

}  // namespace kexue::testing
