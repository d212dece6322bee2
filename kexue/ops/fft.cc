#include "kexue/ops/fft.h"

#include <fmt/format.h>

#include <bit>
#include <numbers>
#include <numeric>

#include "kexue/ops/complex.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

// ---- the transform on the host ---------------------------------------------

// e^(sign 2 pi i k / n)
Complex root(double sign, size_t k, size_t n) {
  const double turn = static_cast<double>(k) / static_cast<double>(n);
  return std::polar(1.0, sign * 2 * std::numbers::pi * turn);
}

// The sum of the definition for one line; halves it while the length is even.
std::vector<Complex> line_dft(const std::vector<Complex>& x, double sign) {
  const size_t n = x.size();
  std::vector<Complex> y(n);
  if (n % 2 == 1) {
    for (size_t k = 0; k < n; ++k) {
      for (size_t j = 0; j < n; ++j) y[k] += x[j] * root(sign, j * k % n, n);
    }
    return y;
  }
  std::vector<Complex> even;
  std::vector<Complex> odd;
  for (size_t j = 0; j < n; j += 2) {
    even.push_back(x[j]);
    odd.push_back(x[j + 1]);
  }
  even = line_dft(even, sign);
  odd = line_dft(odd, sign);
  for (size_t k = 0; k < n / 2; ++k) {
    const Complex turned = odd[k] * root(sign, k, n);
    y[k] = even[k] + turned;
    y[k + n / 2] = even[k] - turned;
  }
  return y;
}

// Lines of a row-major tensor along one axis. f makes the new line, whose
// length becomes the axis' length.
template <class F>
void for_lines(std::vector<Complex>& v, Shape& shape, int64_t axis, F&& f) {
  auto dims = shape.dims();
  int64_t inner = 1;
  for (int64_t a = axis + 1; a < shape.rank(); ++a) inner *= shape[a];
  const int64_t n = shape[axis];
  const int64_t outer = n * inner == 0 ? 0 : shape.size() / (n * inner);
  std::vector<std::vector<Complex>> lines;
  for (int64_t i = 0; i < outer * inner; ++i) {
    std::vector<Complex> line;
    const int64_t start = i / inner * n * inner + i % inner;
    for (int64_t j = 0; j < n; ++j) {
      line.push_back(v[static_cast<size_t>(start + j * inner)]);
    }
    lines.push_back(f(line));
  }
  const auto m = lines.empty() ? 0 : static_cast<int64_t>(lines[0].size());
  dims[static_cast<size_t>(axis)] = m;
  shape = Shape(dims);
  v.assign(static_cast<size_t>(outer * inner * m), {});
  for (int64_t i = 0; i < outer * inner; ++i) {
    const int64_t start = i / inner * m * inner + i % inner;
    for (int64_t j = 0; j < m; ++j) {
      v[static_cast<size_t>(start + j * inner)] =
          lines[static_cast<size_t>(i)][static_cast<size_t>(j)];
    }
  }
}

int64_t product(const Lengths& lengths) {
  return std::accumulate(
      lengths.begin(), lengths.end(), int64_t{1}, std::multiplies<>());
}

// The whole line of n from its first half; what the halves share is real.
std::vector<Complex> completed(std::vector<Complex> line, int64_t n) {
  const auto full = static_cast<size_t>(n);
  line[0] = line[0].real();
  if (n % 2 == 0) line[full / 2] = line[full / 2].real();
  for (size_t k = line.size(); k < full; ++k) {
    line.push_back(std::conj(line[full - k]));
  }
  return line;
}

std::vector<HostArray> eval_fft(const EvalContext& c) {
  const std::string& type = c.node.attrs.s("type");
  const Lengths& lengths = c.node.attrs.ints("lengths");
  const double sign = type == "FFT" || type == "RFFT" ? -1 : 1;
  Shape shape = c.x[0].shape();
  auto v = c.x[0].to_complexes();
  const auto dft = [&](const std::vector<Complex>& x) {
    return line_dft(x, sign);
  };
  const int64_t last = shape.rank() - 1;
  const auto axes = static_cast<int64_t>(lengths.size());
  if (type == "RFFT") {
    for_lines(v, shape, last, [&](const std::vector<Complex>& x) {
      auto y = dft(x);
      y.resize(x.size() / 2 + 1);
      return y;
    });
  }
  for (int64_t a = shape.rank() - axes; a < last; ++a) {
    for_lines(v, shape, a, dft);
  }
  if (type == "IRFFT") {
    for_lines(v, shape, last, [&](const std::vector<Complex>& x) {
      return dft(completed(x, lengths.back()));
    });
  } else if (type != "RFFT") {
    for_lines(v, shape, last, dft);
  }
  if (sign > 0) {
    for (Complex& z : v) z /= static_cast<double>(product(lengths));
  }
  const TensorType& out = c.node.types[0];
  if (is_complex(out.dtype)) return {HostArray::from_complexes(out, v)};
  std::vector<double> re;
  for (const Complex& z : v) re.push_back(z.real());
  return {make_floats(out, re)};
}

// ---- rules -----------------------------------------------------------------

TypeList infer_fft(const InferContext& c) {
  want_inputs(c, 1);
  const std::string& type = c.attrs.s("type");
  const Lengths& lengths = c.attrs.ints("lengths");
  const DType d = c.type(0).dtype;
  const bool from_real = type == "RFFT";
  if (from_real ? d != DType::kF32 && d != DType::kF64 : !is_complex(d)) {
    refuse(c, from_real ? "wants f32 or f64" : "wants a complex tensor");
  }
  auto dims = c.type(0).shape.dims();
  if (lengths.empty() || lengths.size() > std::min<size_t>(3, dims.size())) {
    refuse(c, fmt::format("cannot transform {} axes", lengths.size()));
  }
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 1) refuse(c, "wants lengths >= 1");
    const bool half = type == "IRFFT" && i + 1 == lengths.size();
    const int64_t want = half ? lengths[i] / 2 + 1 : lengths[i];
    if (dims[dims.size() - lengths.size() + i] != want) {
      refuse(c, fmt::format("length {} does not fit", lengths[i]));
    }
  }
  if (from_real) dims.back() = lengths.back() / 2 + 1;
  if (type == "IRFFT") dims.back() = lengths.back();
  DType out = from_real ? complex_dtype_of(d) : d;
  if (type == "IRFFT") out = real_dtype_of(d);
  return {{out, Shape(dims)}};
}

Value transform(const char* type, const Value& x, const Lengths& lengths) {
  return x.graph()
      .add(kFft, {x}, {{"type", std::string(type)}, {"lengths", lengths}})
      .out();
}

// Along the last axis of x (a half of n frequencies): `shared` for those that
// are their own conjugates, `paired` for those that stand for two.
Value weigh_half(const Value& x, int64_t n, double shared, double paired) {
  std::vector<double> w(static_cast<size_t>(n / 2 + 1), paired);
  w.front() = shared;
  if (n % 2 == 0) w.back() = shared;
  const TensorType type{x.dtype(), {n / 2 + 1}};
  const Value weights =
      x.graph()
          .add(kConstant, {}, {{"value", HostArray::from_doubles(type, w)}})
          .out();
  return x * weights;
}

// The transform is linear: its transpose in the product real(sum conj(a) b).
Values vjp_fft(const VjpContext& c) {
  const std::string& type = c.node.attrs.s("type");
  const Lengths& lengths = c.node.attrs.ints("lengths");
  const auto n = static_cast<double>(product(lengths));
  if (type == "FFT") return {transform("IFFT", c.dy, lengths) * n};
  if (type == "IFFT") return {transform("FFT", c.dy, lengths) * (1 / n)};
  if (type == "RFFT") {
    const Value half = weigh_half(c.dy, lengths.back(), n, n / 2);
    return {transform("IRFFT", half, lengths)};
  }
  const Value dx = transform("RFFT", c.dy, lengths);
  return {weigh_half(dx, lengths.back(), 1 / n, 2 / n)};
}

// The last axes of x cut or filled up with zeros to `lengths`.
Value fitted(const Value& x, const Lengths& lengths) {
  auto limit = x.shape().dims();
  std::vector<int64_t> low(limit.size(), 0);
  auto high = low;
  for (size_t i = 0; i < lengths.size(); ++i) {
    const size_t a = limit.size() - lengths.size() + i;
    high[a] = std::max<int64_t>(0, lengths[i] - limit[a]);
    limit[a] = std::min(lengths[i], limit[a]);
  }
  const Value cut = limit == x.shape().dims() ? x : slice(x, low, limit);
  return high == low ? cut : pad(cut, low, high);
}

// `lengths` as they count for x: the last axis if there are none.
Lengths checked(const Value& x, Lengths lengths, const char* who, bool half) {
  if (lengths.empty() && x.rank() > 0) {
    lengths = {half ? 2 * (x.dim(-1) - 1) : x.dim(-1)};
  }
  const bool ok =
      !lengths.empty() &&
      lengths.size() <= std::min<size_t>(3, static_cast<size_t>(x.rank())) &&
      *std::min_element(lengths.begin(), lengths.end()) > 0;
  if (!ok) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: wants 1 to 3 lengths >= 1, at most one an "
                            "axis, got {} for {}",
                            who,
                            Shape(lengths).str(),
                            x.type().str()))
        .with_scope(Scope::path());
  }
  return lengths;
}

Value as_complex(const Value& x) {
  return convert(x, complex_dtype_of(x.dtype()));
}

// Every axis turned by n/2, rounded up or down.
Value turned(const Value& x, std::vector<int64_t> axes, bool up) {
  if (axes.empty()) {
    axes.resize(static_cast<size_t>(x.rank()));
    std::iota(axes.begin(), axes.end(), 0);
  }
  Value y = x;
  for (int64_t a : axes) {
    a = canonical_axis(a, x.rank(), "fftshift");
    const int64_t n = x.dim(a);
    const int64_t at = (n + (up ? 1 : 0)) / 2;
    y = concatenate({slice_axis(y, a, at, n), slice_axis(y, a, 0, at)}, a);
  }
  return y;
}

}  // namespace

// y = DFT(x): one of FFT, IFFT, RFFT, IRFFT over the last axes.
constexpr OpDef kFft{
    .name = "fft",
    .infer = infer_fft,
    .vjp = vjp_fft,
    .lower =
        [](Emitter& e, const Node& n) {
          e.emit(n,
                 "stablehlo.fft",
                 fmt::format("fft_type = #stablehlo<fft_type {}>, fft_length "
                             "= {}",
                             n.attrs.s("type"),
                             stablehlo::int_array(n.attrs.ints("lengths"))));
        },
    .eval = eval_fft,
    .batch = batch_elementwise,  // the new axis comes first: not transformed
    .cast = Cast::kF32,
};

Value fft(const Arg& x, const Lengths& lengths) {
  const Lengths l = checked(x, lengths, "fft", false);
  return transform("FFT", as_complex(fitted(x, l)), l);
}

Value ifft(const Arg& x, const Lengths& lengths) {
  const Lengths l = checked(x, lengths, "ifft", false);
  return transform("IFFT", as_complex(fitted(x, l)), l);
}

Value rfft(const Arg& x, const Lengths& lengths) {
  const Lengths l = checked(x, lengths, "rfft", false);
  return transform("RFFT", fitted(x, l), l);
}

Value irfft(const Arg& x, const Lengths& lengths) {
  const Lengths l = checked(x, lengths, "irfft", true);
  Lengths half = l;
  half.back() = l.back() / 2 + 1;
  return transform("IRFFT", as_complex(fitted(x, half)), l);
}

Value fftshift(const Arg& x, const std::vector<int64_t>& axes) {
  return turned(x, axes, true);
}

Value ifftshift(const Arg& x, const std::vector<int64_t>& axes) {
  return turned(x, axes, false);
}

}  // namespace kexue::ops
