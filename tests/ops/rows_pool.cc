// Rows of sums and maxima of windows, channel by channel.
#include <algorithm>
#include <cmath>

#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

using ops::Layout;
using ops::PoolOptions;

// The places in the flat x that each window holds, in order; one dimension of
// `inner` elements behind the windows (channels) and `outer` before.
struct Line {
  int64_t size, window, stride, low, high, dilation;

  std::vector<std::vector<int64_t>> windows() const {
    std::vector<std::vector<int64_t>> out;
    const int64_t reach = (window - 1) * dilation + 1;
    for (int64_t o = -low; o + reach <= size + high; o += stride) {
      out.emplace_back();
      for (int64_t p = o; p < o + reach; p += dilation) {
        if (p >= 0 && p < size) out.back().push_back(p);
      }
    }
    return out;
  }
};

using Places = std::vector<std::vector<size_t>>;

// Windows over two dimensions of an [outer,a,b,inner] tensor.
Places places(size_t outer, const Line& a, const Line& b, size_t inner) {
  Places out;
  const auto width = static_cast<size_t>(b.size);
  for (size_t n = 0; n < outer; ++n) {
    for (const auto& rows : a.windows()) {
      for (const auto& columns : b.windows()) {
        for (size_t c = 0; c < inner; ++c) {
          out.emplace_back();
          for (const int64_t i : rows) {
            for (const int64_t j : columns) {
              const size_t row =
                  n * static_cast<size_t>(a.size) + static_cast<size_t>(i);
              out.back().push_back(
                  (row * width + static_cast<size_t>(j)) * inner + c);
            }
          }
        }
      }
    }
  }
  return out;
}

using Form = Value (*)(const Arg&, const PoolOptions&);
using Fold = double (*)(const Doubles&);

struct Case {
  std::string name;
  Shape shape;
  PoolOptions options;
  size_t outer;
  Line a, b;
  size_t inner;
};

std::vector<Case> cases() {
  const Line one{1, 1, 1, 0, 0, 1};
  return {
      {"2x2",
       {2, 4, 6, 3},
       {.window = {2, 2}},
       2,
       {4, 2, 2, 0, 0, 1},
       {6, 2, 2, 0, 0, 1},
       3},
      {"3x3 overlapping, same",
       {1, 5, 4, 2},
       {.window = {3, 3}, .strides = {2, 1}, .padding = ops::Padding::same()},
       1,
       {5, 3, 2, 1, 1, 1},
       {4, 3, 1, 1, 1, 1},
       2},
      {"channels first, asymmetric",
       {2, 2, 4, 5},
       {.window = {2, 3},
        .strides = {1, 2},
        .padding = {.low = {1, 0}, .high = {0, 2}},
        .layout = Layout::kChannelsFirst},
       4,
       {4, 2, 1, 1, 0, 1},
       {5, 3, 2, 0, 2, 1},
       1},
      {"dilated",
       {1, 7, 6, 2},
       {.window = {2, 3}, .strides = {3, 1}, .dilation = {3, 2}},
       1,
       {7, 2, 3, 0, 0, 3},
       {6, 3, 1, 0, 0, 2},
       2},
      {"cut by negative padding",
       {1, 6, 5, 1},
       {.window = {2, 2},
        .strides = {2, 1},
        .padding = {.low = {-1, 0}, .high = {0, -1}}},
       1,
       {6, 2, 2, -1, 0, 1},
       {5, 2, 1, 0, -1, 1},
       1},
      {"1d",
       {2, 5, 3},
       {.window = {2}, .strides = {3}},
       2,
       {5, 2, 3, 0, 0, 1},
       one,
       3},
      {"3d as 2d",
       {2, 3, 4, 1, 2},
       {.window = {2, 2, 1}, .strides = {1, 2, 1}},
       2,
       {3, 2, 1, 0, 0, 1},
       {4, 2, 2, 0, 0, 1},
       2},
      {"of no examples",
       {0, 4, 4, 2},
       {.window = {2, 2}},
       0,
       {4, 2, 2, 0, 0, 1},
       {4, 2, 2, 0, 0, 1},
       2},
      {"without room",
       {1, 1, 4, 2},
       {.window = {2, 2}},
       1,
       {1, 2, 2, 0, 0, 1},
       {4, 2, 2, 0, 0, 1},
       2},
      // The first window of each row and column holds nothing.
      {"with windows in the padding",
       {1, 3, 3, 1},
       {.window = {2, 2}, .padding = {.low = {2, 2}, .high = {0, 0}}},
       1,
       {3, 2, 2, 2, 0, 1},
       {3, 2, 2, 2, 0, 1},
       1},
  };
}

void pools(std::vector<Row>& rows,
           const std::string& op,
           const std::string& name,
           Form form,
           Fold fold) {
  for (const Case& c : cases()) {
    // Differences of -inf say nothing; pool_test.cc has the slope there.
    const bool finite = op != "max_pool" || c.name.find("in the pad") > 99;
    rows.push_back({op,
                    name + " " + c.name,
                    {{c.shape}},
                    [=](const Values& x, DType) -> Values {
                      return {form(x[0], c.options)};
                    },
                    [=](const std::vector<Doubles>& x) {
                      Doubles y;
                      for (const auto& window :
                           places(c.outer, c.a, c.b, c.inner)) {
                        Doubles v;
                        for (const size_t at : window) v.push_back(x[0][at]);
                        y.push_back(fold(v));
                      }
                      return y;
                    },
                    finite ? 2 : 0});
  }
}

double total(const Doubles& v) {
  double sum = 0;
  for (const double x : v) sum += x;
  return sum;
}

double largest(const Doubles& v) {
  double top = -INFINITY;
  for (const double x : v) top = std::isnan(x) || x > top ? x : top;
  return top;
}

void index_rows(std::vector<Row>& rows) {
  for (const Case& c : cases()) {
    // A grid of five values makes ties.
    rows.push_back(
        {"max_pool_index",
         "max_pool_index " + c.name,
         {{c.shape}},
         [=](const Values& x, DType) -> Values {
           return {ops::max_pool_index(ops::floor(x[0] * 1.2), c.options)};
         },
         [=](const std::vector<Doubles>& x) {
           Doubles y;
           for (const auto& window : places(c.outer, c.a, c.b, c.inner)) {
             const auto rank = [&](size_t at) {
               return std::floor(x[0][at] * 1.2);
             };
             const auto best = std::max_element(
                 window.begin(), window.end(), [&](size_t p, size_t q) {
                   return rank(p) < rank(q);
                 });
             y.push_back(best == window.end() ? 2147483647.0
                                              : static_cast<double>(*best));
           }
           return y;
         },
         0,
         {DType::kF64, DType::kF32}});
  }
}

// Infinities lose to nothing but NaN; the second window's NaN wins.
void edge_rows(std::vector<Row>& rows) {
  const In edges{{1, 8, 1},
                 0,
                 0,
                 DType::kF64,
                 {-INFINITY, -INFINITY, 3, NAN, INFINITY, 3, -INFINITY, -4}};
  const PoolOptions two{.window = {2}};
  rows.push_back({"max_pool",
                  "max_pool of infinities and NaN",
                  {edges},
                  [=](const Values& x, DType) -> Values {
                    return {ops::max_pool(x[0], two)};
                  },
                  [](const std::vector<Doubles>&) {
                    return Doubles{-INFINITY, NAN, INFINITY, -4};
                  }});
  rows.push_back({"max_pool_index",
                  "max_pool_index of infinities and NaN",
                  {edges},
                  [=](const Values& x, DType) -> Values {
                    return {ops::max_pool_index(x[0], two)};
                  },
                  [](const std::vector<Doubles>&) {
                    return Doubles{0, 3, 4, 7};
                  }});
}

}  // namespace

void add_pool_rows(std::vector<Row>& rows) {
  pools(rows, "sum_pool", "sum_pool", ops::sum_pool, total);
  pools(rows,
        "sum_pool",
        "average_pool",
        ops::average_pool,
        [](const Doubles& v) {
          return v.empty() ? 0 : total(v) / static_cast<double>(v.size());
        });
  pools(rows, "max_pool", "max_pool", ops::max_pool, largest);
  index_rows(rows);
  edge_rows(rows);
}

}  // namespace kexue::testing
