// The table of the op sweep: each op of ops::op_table() has at least one row.
// The host sweep checks values and gradients; the device sweep compares the
// compiled program with the host evaluator.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::testing {

using Doubles = std::vector<double>;

// What an input is made of: uniform in [low, high), or given values.
struct In {
  Shape shape;
  double low = -2;
  double high = 2;
  // Integers and bool as they are; f64 stands for the float type under test,
  // c128 for the complex type of such parts. Complex values are given as parts
  // in turn, to `want` and by it too.
  DType dtype = DType::kF64;
  Doubles values = {};
};

struct Row {
  std::string op;    // name in the op table
  std::string name;  // of the case
  std::vector<In> in;
  // Builds the outputs; the dtype is the float type under test.
  std::function<Values(const Values&, DType)> build;
  // Output 0, computed without any op of ours; empty: see a test of its own.
  std::function<Doubles(const std::vector<Doubles>&)> want = {};
  int order = 0;  // derivatives to check
  // Float types on the device; a row without floats runs once.
  std::vector<DType> types = {
      DType::kF64, DType::kF32, DType::kBF16, DType::kF16};
};

std::vector<HostArray> make_inputs(const Row& row, DType type);

void add_unary_rows(std::vector<Row>& rows);
void add_binary_rows(std::vector<Row>& rows);
void add_integer_rows(std::vector<Row>& rows);
void add_shape_rows(std::vector<Row>& rows);
void add_slice_rows(std::vector<Row>& rows);
void add_reduce_rows(std::vector<Row>& rows);
void add_product_rows(std::vector<Row>& rows);
void add_conv_rows(std::vector<Row>& rows);
void add_pool_rows(std::vector<Row>& rows);
void add_index_rows(std::vector<Row>& rows);
void add_gather_scatter_rows(std::vector<Row>& rows);
void add_sort_rows(std::vector<Row>& rows);
void add_loop_rows(std::vector<Row>& rows);
void add_control_rows(std::vector<Row>& rows);
void add_fused_rows(std::vector<Row>& rows);
void add_group_norm_rows(std::vector<Row>& rows);
void add_matrix_rows(std::vector<Row>& rows);

void add_special_rows(std::vector<Row>& rows);
void add_bit_rows(std::vector<Row>& rows);
void add_statistic_rows(std::vector<Row>& rows);
void add_cumulative_rows(std::vector<Row>& rows);
void add_loss_rows(std::vector<Row>& rows);

// One function of a float, element by element: on a scalar, nothing, an odd
// size, a matrix, all in [low, high); then at given edges.
void add_function(std::vector<Row>& rows,
                  const std::string& op,
                  const std::string& name,
                  Value (*f)(const Arg&),
                  double (*want)(double),
                  double low,
                  double high,
                  int order,
                  const Doubles& edges = {});
void add_complex_rows(std::vector<Row>& rows);
void add_complex_tensor_rows(std::vector<Row>& rows);
void add_fft_rows(std::vector<Row>& rows);

const std::vector<Row>& sweep_rows();

// Element i of `shape` in row-major order, as an index tuple.
std::vector<int64_t> unravel(int64_t i, const Shape& shape);
// Where a tensor of shape `from` that is broadcast to `to` reads element i.
size_t broadcast_source(int64_t i, const Shape& from, const Shape& to);

}  // namespace kexue::testing
