// Rows of Fourier transforms, against the sums of their definition.
#include <cmath>
#include <numbers>

#include "kexue/ops/ops.h"
#include "tests/ops/complex_rows.h"

namespace kexue::testing {
namespace {

// sum_j x[j] e^(sign 2 pi i j.k / n) at each k of a row-major tensor of the
// last axes; the batch comes first.
std::vector<Complex> direct(const std::vector<Complex>& x,
                            const Shape& lengths,
                            double sign) {
  const int64_t n = lengths.size();
  std::vector<Complex> y(x.size());
  for (size_t at = 0; at < x.size(); ++at) {
    const auto batch = static_cast<int64_t>(at) / n;
    const auto k = unravel(static_cast<int64_t>(at) % n, lengths);
    for (int64_t j = 0; j < n; ++j) {
      const auto index = unravel(j, lengths);
      double turns = 0;
      for (size_t a = 0; a < k.size(); ++a) {
        turns += static_cast<double>(index[a] * k[a]) /
                 static_cast<double>(lengths.dims()[a]);
      }
      const double angle = sign * 2 * std::numbers::pi * std::fmod(turns, 1.0);
      y[at] += x[static_cast<size_t>(batch * n + j)] * std::polar(1.0, angle);
    }
  }
  if (sign > 0) {
    for (Complex& v : y) v /= static_cast<double>(n);
  }
  return y;
}

// Frequencies 0 .. n/2 of the last axis.
std::vector<Complex> halved(const std::vector<Complex>& x, size_t n) {
  std::vector<Complex> y;
  for (size_t i = 0; i < x.size(); ++i) {
    if (i % n <= n / 2) y.push_back(x[i]);
  }
  return y;
}

std::vector<Complex> as_complex(const Doubles& x) {
  return {x.begin(), x.end()};
}

Doubles real_parts(const std::vector<Complex>& z) {
  Doubles x;
  for (const Complex& v : z) x.push_back(v.real());
  return x;
}

struct Case {
  Shape x;
  ops::Lengths lengths;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {{{1}, {1}},
                                        {{8}, {8}},
                                        {{2, 5}, {5}},
                                        {{0, 4}, {4}},
                                        {{2, 3, 4}, {3, 4}},
                                        {{3, 2, 5}, {3, 2, 5}},
                                        {{6}, {6}}};
  return all;
}

void add_both_ways(std::vector<Row>& rows) {
  for (const Case& c : cases()) {
    for (const bool inverse : {false, true}) {
      const std::string name = inverse ? "ifft" : "fft";
      add_complex_row(
          rows,
          {"fft",
           name + " of " + c.x.str(),
           {{c.x, -2, 2, DType::kC128}},
           [=](const Values& x, DType) -> Values {
             const Value z = x[0] * x[0];
             return {inverse ? ops::ifft(z, c.lengths)
                             : ops::fft(z, c.lengths)};
           },
           [=](const std::vector<Doubles>& x) {
             auto z = paired(x[0]);
             for (Complex& v : z) v *= v;
             return unpaired(direct(z, Shape(c.lengths), inverse ? 1 : -1));
           },
           2});
    }
  }
}

void add_real(std::vector<Row>& rows) {
  for (const Case& c : cases()) {
    const auto n = static_cast<size_t>(c.lengths.back());
    add_complex_row(
        rows,
        {"fft",
         "rfft of " + c.x.str(),
         {{c.x}},
         [=](const Values& x, DType) -> Values {
           return {ops::rfft(x[0] * x[0], c.lengths)};
         },
         [=](const std::vector<Doubles>& x) {
           auto z = as_complex(x[0]);
           for (Complex& v : z) v *= v;
           return unpaired(halved(direct(z, Shape(c.lengths), -1), n));
         },
         2});
  }
}

// irfft of any half: what it stands for is completed along the last axis after
// the inverse transforms of the others, imaginary parts of k = 0, n/2 unread.
Doubles inverse_real(const Doubles& parts, const Case& c) {
  const auto n = static_cast<size_t>(c.lengths.back());
  const size_t m = n / 2 + 1;
  auto z = paired(parts);
  for (Complex& v : z) v *= v;
  // Every other axis: direct() works on trailing axes, so one column a time.
  ops::Lengths others(c.lengths.begin(), c.lengths.end() - 1);
  const auto inner = static_cast<size_t>(Shape(others).size());
  for (size_t at = 0; at < z.size(); at += inner * m) {
    for (size_t k = 0; k < m; ++k) {
      std::vector<Complex> column;
      for (size_t i = 0; i < inner; ++i) column.push_back(z[at + i * m + k]);
      column = direct(column, Shape(others), 1);
      for (size_t i = 0; i < inner; ++i) z[at + i * m + k] = column[i];
    }
  }
  std::vector<Complex> whole;
  for (size_t at = 0; at < z.size(); at += m) {
    for (size_t k = 0; k < n; ++k) {
      Complex v = k < m ? z[at + k] : std::conj(z[at + n - k]);
      if (2 * k % n == 0) v = v.real();
      whole.push_back(v);
    }
  }
  return real_parts(direct(whole, {static_cast<int64_t>(n)}, 1));
}

void add_inverse_real(std::vector<Row>& rows) {
  for (const Case& c : cases()) {
    auto dims = c.x.dims();
    dims.back() = c.lengths.back() / 2 + 1;
    add_complex_row(
        rows,
        {"fft",
         "irfft to " + c.x.str(),
         {{Shape(dims), -2, 2, DType::kC128}},
         [=](const Values& x, DType) -> Values {
           return {ops::irfft(x[0] * x[0], c.lengths)};
         },
         [=](const std::vector<Doubles>& x) { return inverse_real(x[0], c); },
         2});
  }
}

}  // namespace

void add_fft_rows(std::vector<Row>& rows) {
  add_both_ways(rows);
  add_real(rows);
  add_inverse_real(rows);
}

}  // namespace kexue::testing
