// Rows of integer functions: signs, shifts, counts, bits read as another type.
#include <bit>
#include <cstdint>

#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

// f on one integer vector, against given results.
void row(std::vector<Row>& rows,
         const std::string& op,
         Value (*f)(const Arg&),
         DType dtype,
         const Doubles& x,
         const Doubles& y) {
  rows.push_back({op,
                  op + " " + std::string(kexue::name(dtype)),
                  {{.shape = {static_cast<int64_t>(x.size())},
                    .dtype = dtype,
                    .values = x}},
                  [f](const Values& v, DType) -> Values { return {f(v[0])}; },
                  [y](const std::vector<Doubles>&) { return y; }});
}

void shifts(std::vector<Row>& rows,
            DType dtype,
            const Doubles& x,
            const Doubles& by,
            const Doubles& y) {
  const Shape s{static_cast<int64_t>(x.size())};
  rows.push_back({"shift_right_arithmetic",
                  "shift_right_arithmetic " + std::string(kexue::name(dtype)),
                  {{.shape = s, .dtype = dtype, .values = x},
                   {.shape = s, .dtype = dtype, .values = by}},
                  [](const Values& v, DType) -> Values {
                    return {ops::shift_right_arithmetic(v[0], v[1])};
                  },
                  [y](const std::vector<Doubles>&) { return y; }});
}

void add_bitcasts(std::vector<Row>& rows) {
  rows.push_back({"bitcast_convert",
                  "bitcast_convert of floats",
                  {{.shape = {5}, .values = {1, -0.0, 2.5, -1024, INFINITY}}},
                  [](const Values& x, DType d) -> Values {
                    return {ops::bitcast_convert(
                        x[0], d == DType::kF64 ? DType::kI64 : DType::kU32)};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (const double v : x[0]) {
                      y.push_back(
                          static_cast<double>(std::bit_cast<int64_t>(v)));
                    }
                    return y;
                  },
                  0,
                  {DType::kF64, DType::kF32}});
  rows.push_back({"bitcast_convert",
                  "bitcast_convert to f32, and back",
                  {{.shape = {3},
                    .dtype = DType::kI32,
                    .values = {0x3F800000, 0x7FC00001, -2147483648.0}}},
                  [](const Values& x, DType) -> Values {
                    const Value y = ops::bitcast_convert(x[0], DType::kF32);
                    return {ops::bitcast_convert(y, DType::kI32), y};
                  },
                  [](const std::vector<Doubles>& x) { return x[0]; }});
}

}  // namespace

void add_bit_rows(std::vector<Row>& rows) {
  const auto i32 = DType::kI32;
  const auto u32 = DType::kU32;
  const auto i64 = DType::kI64;
  const double low = -2147483648.0;
  row(rows, "abs", ops::abs, i32, {-3, 0, 7, low}, {3, 0, 7, low});
  row(rows, "abs", ops::abs, i64, {-5000000000.0, 2}, {5000000000.0, 2});
  row(rows, "sign", ops::sign, i32, {-3, 0, 7, low}, {-1, 0, 1, -1});
  row(rows, "sign", ops::sign, i64, {-5000000000.0, 2}, {-1, 1});
  row(rows, "popcnt", ops::popcnt, i32, {0, 1, -1, 6}, {0, 1, 32, 2});
  row(rows, "popcnt", ops::popcnt, DType::kU8, {255, 129}, {8, 2});
  row(rows, "popcnt", ops::popcnt, i64, {-1, 5}, {64, 2});
  const auto zeros = ops::count_leading_zeros;
  row(rows, "count_leading_zeros", zeros, u32, {0, 1, 0x80000000}, {32, 31, 0});
  row(rows, "count_leading_zeros", zeros, DType::kU8, {0, 3}, {8, 6});
  row(rows, "count_leading_zeros", zeros, i64, {-1, 5, 0}, {0, 61, 64});
  shifts(
      rows, i32, {-8, -8, 9, low, 5}, {1, 40, 2, 31, 32}, {-4, -1, 2, -1, 0});
  shifts(rows, i64, {-8, 9}, {63, 1}, {-1, 4});
  shifts(rows, u32, {0x80000000, 8}, {1, 2}, {0xC0000000, 2});
  shifts(rows, DType::kU8, {0x80, 0x40}, {7, 3}, {255, 8});
  add_bitcasts(rows);
}

}  // namespace kexue::testing
