#include "tests/ops/sweep_rows.h"

#include <cmath>

#include "kexue/base/random.h"
#include "tests/support/check_close.h"

namespace kexue::testing {

std::vector<int64_t> unravel(int64_t i, const Shape& shape) {
  std::vector<int64_t> index(static_cast<size_t>(shape.rank()));
  for (size_t a = index.size(); a-- > 0;) {
    index[a] = i % shape.dims()[a];
    i /= shape.dims()[a];
  }
  return index;
}

size_t broadcast_source(int64_t i, const Shape& from, const Shape& to) {
  const auto index = unravel(i, to);
  const size_t skip = index.size() - from.dims().size();
  size_t at = 0;
  for (size_t a = 0; a < from.dims().size(); ++a) {
    const auto d = static_cast<size_t>(from.dims()[a]);
    at = at * d + (d == 1 ? 0 : static_cast<size_t>(index[a + skip]));
  }
  return at;
}

void add_function(std::vector<Row>& rows,
                  const std::string& op,
                  const std::string& name,
                  Value (*f)(const Arg&),
                  double (*want)(double),
                  double low,
                  double high,
                  int order,
                  const Doubles& edges) {
  const auto build = [f](const Values& x, DType) -> Values {
    return {f(x[0])};
  };
  const auto expect = [want](const std::vector<Doubles>& x) {
    Doubles y;
    for (const double v : x[0]) y.push_back(want(v));
    return y;
  };
  for (const Shape& s : {Shape{}, Shape{0}, Shape{7}, Shape{3, 5}}) {
    rows.push_back(
        {op, name + s.str(), {{s, low, high}}, build, expect, order});
  }
  if (!edges.empty()) {
    const Shape s{static_cast<int64_t>(edges.size())};
    rows.push_back({op,
                    name + " at edges",
                    {{.shape = s, .values = edges}},
                    build,
                    expect});
  }
}

std::vector<HostArray> make_inputs(const Row& row, DType type) {
  std::vector<HostArray> out;
  for (size_t i = 0; i < row.in.size(); ++i) {
    const In& in = row.in[i];
    const bool complex = in.dtype == DType::kC128;
    const bool real = in.dtype == DType::kF64 || complex;
    const DType inexact = complex ? complex_dtype_of(type) : type;
    const TensorType made{real ? inexact : in.dtype, in.shape};
    Doubles v = in.values;
    if (v.empty()) {
      Random random(Key::from_seed(5).fold_in(i));
      for (int64_t n = in.shape.size() * (complex ? 2 : 1); n > 0; --n) {
        const double x = in.low + (in.high - in.low) * random.uniform();
        v.push_back(real ? x : std::floor(x));
      }
    }
    out.push_back(from_parts(made, v));
  }
  return out;
}

const std::vector<Row>& sweep_rows() {
  static const std::vector<Row> rows = [] {
    std::vector<Row> r;
    add_unary_rows(r);
    add_binary_rows(r);
    add_special_rows(r);
    add_integer_rows(r);
    add_bit_rows(r);
    add_shape_rows(r);
    add_slice_rows(r);
    add_reduce_rows(r);
    add_statistic_rows(r);
    add_cumulative_rows(r);
    add_loss_rows(r);
    add_product_rows(r);
    add_conv_rows(r);
    add_pool_rows(r);
    add_index_rows(r);
    add_gather_scatter_rows(r);
    add_sort_rows(r);
    add_loop_rows(r);
    add_control_rows(r);
    add_fused_rows(r);
    add_group_norm_rows(r);
    add_matrix_rows(r);
    add_complex_rows(r);
    add_complex_tensor_rows(r);
    add_fft_rows(r);
    return r;
  }();
  return rows;
}

}  // namespace kexue::testing
