// Rows of fused ops and of their gradient ops. Gradients of compositions are
// compared in fused_test.cc.
#include <cmath>
#include <numbers>

#include "kexue/base/random.h"
#include "kexue/ir/graph.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

constexpr double kEps = 1e-3;

double gelu(double x) {
  return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
}

double gelu_slope(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2) +
         x * std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}

In key_input() {
  return {.shape = {2}, .dtype = DType::kU32, .values = {12, 345}};
}

void add_activations(std::vector<Row>& rows) {
  const auto f = [](const Values& x, DType) -> Values {
    return {ops::gelu(x[0])};
  };
  const auto want = [](const std::vector<Doubles>& x) {
    Doubles y;
    for (const double v : x[0]) y.push_back(gelu(v));
    return y;
  };
  for (const Shape& s : {Shape{}, Shape{0}, Shape{3, 5}}) {
    rows.push_back({"gelu", "gelu" + s.str(), {{s, -3, 3}}, f, want, 3});
  }
  const In far{.shape = {6}, .values = {-1e4, 1e4, 0, -40, 40, 2}};
  rows.push_back({"gelu", "gelu far out", {far}, f, want});
  const auto g = [](const Values& x, DType) -> Values {
    return {x[0].graph().add(ops::kGeluGrad, {x[0], x[1]}).out()};
  };
  const auto slope = [](const std::vector<Doubles>& x) {
    Doubles y;
    for (size_t i = 0; i < x[0].size(); ++i) {
      y.push_back(x[0][i] * gelu_slope(x[1][i]));
    }
    return y;
  };
  rows.push_back(
      {"gelu_grad", "gelu_grad", {{{3, 5}}, {{3, 5}, -3, 3}}, g, slope, 3});
  rows.push_back({"gelu_grad", "gelu_grad far out", {{{6}}, far}, g, slope});
}

void add_layer_norms(std::vector<Row>& rows) {
  const auto f = [](const Values& x, DType) -> Values {
    Node& n =
        x[0].graph().add(ops::kLayerNorm, {x[0], x[1], x[2]}, {{"eps", kEps}});
    return n.outs();
  };
  const auto want = [](const std::vector<Doubles>& x) {
    const size_t d = x[1].size();
    Doubles y;
    for (size_t r = 0; r * d < x[0].size(); ++r) {
      double mu = 0;
      double var = 0;
      for (size_t j = 0; j < d; ++j) mu += x[0][r * d + j];
      mu /= static_cast<double>(d);
      for (size_t j = 0; j < d; ++j) {
        var += (x[0][r * d + j] - mu) * (x[0][r * d + j] - mu);
      }
      var /= static_cast<double>(d);
      for (size_t j = 0; j < d; ++j) {
        y.push_back((x[0][r * d + j] - mu) / std::sqrt(var + kEps) * x[1][j] +
                    x[2][j]);
      }
    }
    return y;
  };
  for (const Shape& s : {Shape{5}, Shape{0, 3}, Shape{2, 3, 7}}) {
    const Shape row{s[-1]};
    rows.push_back({"layer_norm",
                    "layer_norm" + s.str(),
                    {{s}, {row}, {row}},
                    f,
                    want,
                    s.size() == 0 ? 0 : 2});
  }
  // Value: see fused_test.cc; here only that it runs everywhere, twice.
  rows.push_back({"layer_norm_grad",
                  "layer_norm_grad",
                  {{{2, 3, 5}}, {{2, 3, 5}}, {{5}}, {{2, 3}}, {{2, 3}, 0.5, 2}},
                  [](const Values& x, DType d) -> Values {
                    const DType w = d == DType::kF64 ? d : DType::kF32;
                    return x[0]
                        .graph()
                        .add(ops::kLayerNormGrad,
                             {x[0],
                              x[1],
                              x[2],
                              ops::convert(x[3], w),
                              ops::convert(x[4], w)})
                        .outs();
                  },
                  {},
                  2});
}

// bits of element i, after the comment in kexue/ops/random.h.
uint32_t dropout_bits(Key key, uint32_t i) {
  const auto w = threefry2x32(key, 0, i / 4);
  return w[i / 2 % 2] >> (16 * (i % 2)) & 0xffff;
}

void add_dropouts(std::vector<Row>& rows) {
  for (const Shape& s : {Shape{}, Shape{0}, Shape{7}, Shape{3, 5}}) {
    rows.push_back({"dropout",
                    "dropout" + s.str(),
                    {{s, 1, 2}, key_input()},
                    [](const Values& x, DType) -> Values {
                      return {ops::dropout(x[0], x[1], 0.25)};
                    },
                    [](const std::vector<Doubles>& x) {
                      Doubles y;
                      for (uint32_t i = 0; i < x[0].size(); ++i) {
                        const bool keep = dropout_bits({12, 345}, i) >= 16384;
                        y.push_back(keep ? x[0][i] / 0.75 : 0);
                      }
                      return y;
                    },
                    2});
  }
}

void add_folds(std::vector<Row>& rows) {
  rows.push_back(
      {"fold_in",
       "fold_in of a u32",
       {key_input(), {.shape = {}, .dtype = DType::kU32, .values = {4e9}}},
       [](const Values& x, DType) -> Values {
         return {ops::fold_in(x[0], x[1])};
       },
       [](const std::vector<Doubles>&) {
         const auto w = threefry2x32({12, 345}, 0, 4000000000U);
         return Doubles{static_cast<double>(w[0]), static_cast<double>(w[1])};
       },
       0,
       {DType::kF32}});
}

// B = 2, S = 4, H = 2, D = 3.
constexpr int64_t kB = 2, kS = 4, kH = 2, kD = 3;

struct AttentionRow {
  std::string name;
  double rate = 0;
  bool causal = false;
  // Of entry 0 all keys are masked; causal, query 0 of entry 1 sees none.
  Doubles mask = {0, 0, 0, 0, 1, 0, 1, 1};

  int64_t queries() const { return causal ? kS : 3; }
  int64_t threshold() const { return static_cast<int64_t>(rate * 65536); }
};

std::vector<In> attention_inputs(const AttentionRow& row) {
  return {{{kB, row.queries(), kH, kD}},
          {{kB, kS, kH, kD}},
          {{kB, kS, kH, kD}},
          {.shape = {kB, kS}, .dtype = DType::kBool, .values = row.mask},
          key_input()};
}

Doubles naive_attention(const std::vector<Doubles>& x,
                        double scale,
                        const AttentionRow& a) {
  const int64_t queries = a.queries();
  const auto threshold = static_cast<uint32_t>(a.threshold());
  Doubles o(static_cast<size_t>(kB * queries * kH * kD), 0);
  const auto at = [](int64_t b, int64_t t, int64_t h, int64_t d, int64_t len) {
    return static_cast<size_t>(((b * len + t) * kH + h) * kD + d);
  };
  for (int64_t row = 0; row < kB * kH * queries; ++row) {
    const int64_t b = row / (kH * queries);
    const int64_t h = row / queries % kH;
    const int64_t t = row % queries;
    Doubles e(kS, 0);
    double total = 0;
    for (int64_t s = 0; s < kS; ++s) {
      if (x[3][static_cast<size_t>(b * kS + s)] == 0) continue;
      if (a.causal && s > t) continue;
      double dot = 0;
      for (int64_t d = 0; d < kD; ++d) {
        dot += x[0][at(b, t, h, d, queries)] * x[1][at(b, s, h, d, kS)];
      }
      e[static_cast<size_t>(s)] = std::exp(scale * dot);
      total += e[static_cast<size_t>(s)];
    }
    for (int64_t s = 0; s < kS && total > 0; ++s) {
      const auto i = static_cast<uint32_t>(row * kS + s);
      if (dropout_bits({12, 345}, i) < threshold) continue;
      const double p =
          e[static_cast<size_t>(s)] / total * 65536.0 / (65536.0 - threshold);
      for (int64_t d = 0; d < kD; ++d) {
        o[at(b, t, h, d, queries)] += p * x[2][at(b, s, h, d, kS)];
      }
    }
  }
  return o;
}

void add_attentions(std::vector<Row>& rows) {
  const Doubles left = {1, 1, 1, 0, 0, 1, 0, 1};  // entry 1 starts at key 1
  for (const AttentionRow& a :
       {AttentionRow{"attention"},
        AttentionRow{"attention with dropout", 0.5},
        AttentionRow{"attention, causal", 0, true},
        AttentionRow{"attention, causal, left mask", 0, true, left},
        AttentionRow{"attention, causal with dropout", 0.5, true, left}}) {
    rows.push_back({"attention",
                    a.name,
                    attention_inputs(a),
                    [a](const Values& x, DType) -> Values {
                      return {ops::attention(
                          x[0], x[1], x[2], x[3], x[4], 0.6, a.rate, a.causal)};
                    },
                    [a](const std::vector<Doubles>& x) {
                      return naive_attention(x, 0.6, a);
                    },
                    2});
    // The gradient op on the outputs of the forward op.
    auto in = attention_inputs(a);
    in.push_back({{kB, a.queries(), kH, kD}});
    rows.push_back({"attention_grad",
                    "gradient of " + a.name,
                    in,
                    [a](const Values& x, DType d) -> Values {
                      Graph& g = x[0].graph();
                      const Attrs attrs{{"scale", 0.6},
                                        {"threshold", a.threshold()},
                                        {"causal", int64_t{a.causal}},
                                        {"dtype", d}};
                      const Values five(x.begin(), x.begin() + 5);
                      const Values y =
                          g.add(ops::kAttention, five, attrs).outs();
                      Values all = five;
                      all.insert(all.end(), {y[0], y[1], x[5]});
                      return g.add(ops::kAttentionGrad, all, attrs).outs();
                    },
                    {},
                    1});
  }
}

void add_updates(std::vector<Row>& rows) {
  // Inputs: w, m, v, g, rate, eps, decay, scale, go.
  for (const Shape& s : {Shape{}, Shape{0}, Shape{3, 7}}) {
    std::vector<In> in = {{s}, {s}, {s, 0.1, 2}, {s}};
    for (int i = 0; i < 5; ++i) in.push_back({{}, 0.01, 0.5});
    rows.push_back({"adamw",
                    "adamw" + s.str(),
                    in,
                    [](const Values& x, DType) -> Values {
                      return ops::adamw(x[0],
                                        x[1],
                                        x[2],
                                        x[3],
                                        {x[4], x[5], x[6], x[7], x[8]},
                                        0.9,
                                        0.99);
                    },
                    [](const std::vector<Doubles>& x) {
                      Doubles w;
                      for (size_t i = 0; i < x[0].size(); ++i) {
                        const double h = x[7][0] * x[3][i];
                        const double m = 0.9 * x[1][i] + 0.1 * h;
                        const double v = 0.99 * x[2][i] + 0.01 * h * h;
                        w.push_back(x[0][i] * (1 - x[6][0]) -
                                    x[4][0] * m / (std::sqrt(v) + x[5][0]));
                      }
                      return w;
                    },
                    2});
  }
}

}  // namespace

void add_fused_rows(std::vector<Row>& rows) {
  add_activations(rows);
  add_layer_norms(rows);
  add_dropouts(rows);
  add_folds(rows);
  add_attentions(rows);
  add_updates(rows);
}

}  // namespace kexue::testing
