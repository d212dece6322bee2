// Rows of convolution. The wanted values come from a scatter: every element of
// x is added to each result that reads it.
#include <algorithm>
#include <array>

#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

using ops::Layout;
using Three = std::array<int64_t, 3>;

// One or two spatial dimensions are three with sizes of 1.
struct Case {
  int64_t spatial = 2;
  bool first = false;  // channels first
  int64_t n = 2;
  Three in{5, 4, 1};
  int64_t channels = 2;  // of x
  Three k{3, 3, 1};
  int64_t outputs = 3;
  Three strides{1, 1, 1};
  Three low{0, 0, 0};
  Three high{0, 0, 0};
  Three gaps{1, 1, 1};      // dilation of x
  Three dilation{1, 1, 1};  // of the kernel
  int64_t groups = 1;
  int64_t batch_groups = 1;
};

std::vector<int64_t> head(const Three& t, int64_t n) {
  return {t.begin(), t.begin() + n};
}

Three positions(const Case& c) {
  Three out{};
  for (size_t i = 0; i < 3; ++i) {
    const int64_t room = (c.in[i] == 0 ? 0 : (c.in[i] - 1) * c.gaps[i] + 1) +
                         c.low[i] + c.high[i];
    const int64_t reach = (c.k[i] - 1) * c.dilation[i] + 1;
    while (out[i] * c.strides[i] + reach <= room) ++out[i];
  }
  return out;
}

Shape shape_of(bool first,
               int64_t outer,
               Three space,
               int64_t inner,
               int64_t rank,
               bool kernel) {
  // x: [outer,space,inner] or [outer,inner,space]; a kernel has its two
  // channels behind space, or [outputs,inputs,space].
  std::vector<int64_t> dims = head(space, rank);
  if (kernel) {
    dims.insert(first ? dims.begin() : dims.end(),
                {first ? inner : outer, first ? outer : inner});
  } else {
    dims.insert(dims.begin(), outer);
    dims.insert(first ? dims.begin() + 1 : dims.end(), inner);
  }
  return Shape(dims);
}

size_t place(bool first,
             Three size,
             int64_t inner_size,
             int64_t outer,
             Three p,
             int64_t inner) {
  const int64_t s = (p[0] * size[1] + p[1]) * size[2] + p[2];
  const int64_t volume = size[0] * size[1] * size[2];
  return static_cast<size_t>(first ? (outer * inner_size + inner) * volume + s
                                   : (outer * volume + s) * inner_size + inner);
}

template <class F>
void for_each(Three size, F&& f) {
  for (int64_t i = 0; i < size[0]; ++i) {
    for (int64_t j = 0; j < size[1]; ++j) {
      for (int64_t l = 0; l < size[2]; ++l) f(Three{i, j, l});
    }
  }
}

// The result that reads x at p through the kernel at k; false if there is none.
bool reader(
    const Case& c, const Three& out, const Three& p, const Three& k, Three& o) {
  for (size_t i = 0; i < 3; ++i) {
    const int64_t at = p[i] * c.gaps[i] + c.low[i] - k[i] * c.dilation[i];
    o[i] = at / c.strides[i];
    if (at < 0 || at % c.strides[i] != 0 || o[i] >= out[i]) return false;
  }
  return true;
}

Doubles scattered(const Case& c, const std::vector<Doubles>& in) {
  const Three out = positions(c);
  const int64_t inputs = c.channels / c.groups;
  const int64_t examples = c.n / c.batch_groups;
  const int64_t part = c.outputs / (c.groups * c.batch_groups);
  Doubles y(
      static_cast<size_t>(examples * out[0] * out[1] * out[2] * c.outputs), 0);
  const auto weight = [&](Three k, int64_t i, int64_t f) {
    const int64_t s = (k[0] * c.k[1] + k[1]) * c.k[2] + k[2];
    const int64_t volume = c.k[0] * c.k[1] * c.k[2];
    const int64_t at = c.first ? (f * inputs + i) * volume + s
                               : (s * inputs + i) * c.outputs + f;
    return in[1][static_cast<size_t>(at)];
  };
  for (int64_t n = 0; n < c.n; ++n) {
    for (int64_t ch = 0; ch < c.channels; ++ch) {
      // The only outputs that this channel of this example reaches.
      const int64_t group = c.batch_groups > 1 ? n / examples : ch / inputs;
      for_each(c.in, [&](Three p) {
        const double x = in[0][place(c.first, c.in, c.channels, n, p, ch)];
        for_each(c.k, [&](Three k) {
          Three o{};
          if (!reader(c, out, p, k, o)) return;
          for (int64_t f = group * part; f < (group + 1) * part; ++f) {
            y[place(c.first, out, c.outputs, n % examples, o, f)] +=
                x * weight(k, ch % inputs, f);
          }
        });
      });
    }
  }
  return y;
}

void conv(std::vector<Row>& rows,
          const std::string& name,
          const Case& c,
          int order = 2) {
  rows.push_back(
      {"convolution",
       "convolution " + name,
       {{shape_of(c.first, c.n, c.in, c.channels, c.spatial, false)},
        {shape_of(
            c.first, c.channels / c.groups, c.k, c.outputs, c.spatial, true)}},
       [c](const Values& x, DType) -> Values {
         const int64_t s = c.spatial;
         return {ops::conv(
             x[0],
             x[1],
             {.layout =
                  c.first ? Layout::kChannelsFirst : Layout::kChannelsLast,
              .strides = head(c.strides, s),
              .padding = {.low = head(c.low, s), .high = head(c.high, s)},
              .kernel_dilation = head(c.dilation, s),
              .input_dilation = head(c.gaps, s),
              .feature_groups = c.groups,
              .batch_groups = c.batch_groups})};
       },
       [c](const std::vector<Doubles>& x) { return scattered(c, x); },
       order});
}

void plain_rows(std::vector<Row>& rows) {
  conv(rows, "of one window", {.in = {3, 3, 1}}, 3);
  conv(rows, "3x3 same", {.low = {1, 1, 0}, .high = {1, 1, 0}});
  conv(rows, "1x1", {.k = {1, 1, 1}});
  conv(rows, "1x1 strided", {.k = {1, 1, 1}, .strides = {2, 3, 1}});
  conv(rows,
       "even kernel, asymmetric padding",
       {.k = {2, 4, 1}, .low = {0, 2, 0}, .high = {1, 1, 0}});
  conv(rows,
       "strided, rows left over",
       {.in = {6, 7, 1}, .strides = {2, 3, 1}, .low = {1, 0, 0}});
  conv(rows,
       "channels first, dilated",
       {.first = true,
        .in = {7, 5, 1},
        .low = {1, 1, 0},
        .high = {0, 2, 0},
        .dilation = {2, 2, 1}});
  conv(rows,
       "of spread input",
       {.in = {3, 2, 1},
        .low = {2, 1, 0},
        .high = {1, 2, 0},
        .gaps = {2, 3, 1}});
  conv(rows,
       "cut by negative padding",
       {.in = {7, 6, 1}, .low = {-1, 1, 0}, .high = {0, -2, 0}});
  conv(rows,
       "of everything",
       {.first = true,
        .in = {4, 5, 1},
        .channels = 4,
        .k = {2, 3, 1},
        .outputs = 2,
        .strides = {2, 3, 1},
        .low = {3, 0, 0},
        .high = {-1, 2, 0},
        .gaps = {3, 2, 1},
        .dilation = {2, 1, 1},
        .groups = 2});
}

void rank_and_group_rows(std::vector<Row>& rows) {
  conv(rows,
       "1d",
       {.spatial = 1,
        .in = {7, 1, 1},
        .k = {2, 1, 1},
        .strides = {3, 1, 1},
        .high = {2, 0, 0}});
  conv(rows,
       "3d",
       {.spatial = 3,
        .n = 1,
        .in = {3, 4, 3},
        .k = {2, 3, 2},
        .outputs = 2,
        .strides = {1, 2, 1},
        .low = {0, 1, 1}});
  conv(rows,
       "in groups",
       {.channels = 4, .k = {2, 3, 1}, .outputs = 6, .groups = 2});
  conv(rows,
       "depthwise, channels first",
       {.first = true,
        .channels = 3,
        .outputs = 6,
        .strides = {2, 1, 1},
        .low = {1, 1, 0},
        .high = {1, 1, 0},
        .groups = 3});
  conv(rows,
       "in batch groups",
       {.n = 4, .outputs = 4, .strides = {2, 1, 1}, .batch_groups = 2});
  conv(rows, "of no examples", {.n = 0});
  conv(rows, "of no channels", {.channels = 0});
  conv(rows, "of no positions", {.in = {5, 0, 1}});
  conv(rows, "of no outputs", {.outputs = 0});
  conv(rows, "without room", {.in = {5, 2, 1}});
}

// Letters in an order that no library uses: kernel, x and result are
// transposed forms of the plain case.
void lettered_row(std::vector<Row>& rows) {
  const Case c{.in = {4, 5, 1}, .strides = {2, 1, 1}};
  rows.push_back({"convolution",
                  "convolution f0b1,o1i0->1b0f",
                  {{{2, 4, 2, 5}}, {{3, 3, 2, 3}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::conv_general(
                        "f0b1,o1i0->1b0f", x[0], x[1], {.strides = {2, 1}})};
                  },
                  [c](const std::vector<Doubles>& x) {
                    Doubles plain_x(80);
                    for (size_t f = 0; f < 2; ++f) {
                      for (size_t i = 0; i < 4; ++i) {
                        for (size_t b = 0; b < 2; ++b) {
                          for (size_t j = 0; j < 5; ++j) {
                            plain_x[((b * 4 + i) * 5 + j) * 2 + f] =
                                x[0][((f * 4 + i) * 2 + b) * 5 + j];
                          }
                        }
                      }
                    }
                    Doubles plain_w(54);
                    for (size_t o = 0; o < 3; ++o) {
                      for (size_t l = 0; l < 3; ++l) {
                        for (size_t i = 0; i < 2; ++i) {
                          for (size_t k = 0; k < 3; ++k) {
                            plain_w[((k * 3 + l) * 2 + i) * 3 + o] =
                                x[1][((o * 3 + l) * 2 + i) * 3 + k];
                          }
                        }
                      }
                    }
                    const Doubles y = scattered(c, {plain_x, plain_w});
                    Doubles out;  // y is [2,1,3,3]
                    for (size_t l = 0; l < 3; ++l) {
                      for (size_t b = 0; b < 2; ++b) {
                        for (size_t f = 0; f < 3; ++f) {
                          out.push_back(y[(b * 3 + l) * 3 + f]);
                        }
                      }
                    }
                    return out;
                  },
                  2});
}

// y[p stride + k dilation - low] += x[p] w[k] in one dimension, and what
// same() makes of it.
Doubles painted(const std::vector<Doubles>& in,
                size_t n,
                size_t k,
                size_t stride,
                size_t dilation,
                size_t low,
                size_t size) {
  Doubles y(size * 3, 0);
  for (size_t p = 0; p < n; ++p) {
    for (size_t j = 0; j < k; ++j) {
      const size_t at = p * stride + j * dilation;
      if (at < low || at - low >= size) continue;
      for (size_t i = 0; i < 2; ++i) {
        for (size_t o = 0; o < 3; ++o) {
          y[(at - low) * 3 + o] +=
              in[0][p * 2 + i] * in[1][(j * 2 + i) * 3 + o];
        }
      }
    }
  }
  return y;
}

void transposed(std::vector<Row>& rows,
                const std::string& name,
                size_t k,
                size_t stride,
                size_t dilation,
                const ops::Padding& padding,
                size_t low,
                size_t size) {
  const auto kernel = static_cast<int64_t>(k);
  rows.push_back({"convolution",
                  "conv_transpose " + name,
                  {{{1, 4, 2}}, {{kernel, 2, 3}}},
                  [=](const Values& x, DType) -> Values {
                    return {ops::conv_transpose(
                        x[0],
                        x[1],
                        {.strides = {static_cast<int64_t>(stride)},
                         .padding = padding,
                         .kernel_dilation = {static_cast<int64_t>(dilation)}})};
                  },
                  [=](const std::vector<Doubles>& x) {
                    return painted(x, 4, k, stride, dilation, low, size);
                  },
                  2});
}

}  // namespace

void add_conv_rows(std::vector<Row>& rows) {
  plain_rows(rows);
  rank_and_group_rows(rows);
  lettered_row(rows);
  transposed(rows, "whole", 3, 2, 1, {}, 0, 9);
  transposed(rows, "same", 4, 2, 1, ops::Padding::same(), 1, 8);
  transposed(rows, "same, short kernel", 2, 3, 1, ops::Padding::same(), 0, 12);
  transposed(
      rows, "cut and lengthened", 3, 2, 2, {.low = {2}, .high = {-3}}, 2, 12);
}

}  // namespace kexue::testing
