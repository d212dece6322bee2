// Rows of constants, shape ops and slices.
#include "kexue/ops/ops.h"
#include "tests/ops/sweep_rows.h"

namespace kexue::testing {
namespace {

using Picker = std::function<int64_t(const std::vector<int64_t>&)>;

// want: element `index` of the result is element pick(index) of input 0.
std::function<Doubles(const std::vector<Doubles>&)> picks(const Shape& out,
                                                          Picker pick) {
  return [out, pick](const std::vector<Doubles>& x) {
    Doubles y;
    for (int64_t i = 0; i < out.size(); ++i) {
      const int64_t at = pick(unravel(i, out));
      y.push_back(at < 0 ? 0 : x[0][static_cast<size_t>(at)]);
    }
    return y;
  };
}

void add_constants(std::vector<Row>& rows) {
  rows.push_back({"constant",
                  "constant of every float",
                  {},
                  [](const Values&, DType d) -> Values {
                    return {ops::constant(HostArray::from_doubles(
                        {d, {2, 3}}, Doubles{1, -0.5, 0, INFINITY, -8, NAN}))};
                  },
                  [](const std::vector<Doubles>&) {
                    return Doubles{1, -0.5, 0, INFINITY, -8, NAN};
                  }});
  const auto ints = [&](DType d, const Doubles& v, const Shape& s) {
    rows.push_back(
        {"constant",
         "constant " + TensorType{d, s}.str(),
         {},
         [=](const Values&, DType) -> Values {
           return {ops::constant(HostArray::from_doubles({d, s}, v))};
         },
         [v](const std::vector<Doubles>&) { return v; },
         0,
         {DType::kF32}});
  };
  ints(DType::kBool, {1, 0, 1}, {3});
  ints(DType::kU8, {0, 255}, {2, 1});
  ints(DType::kI32, {-2147483648.0, 2147483647}, {1, 2});
  ints(DType::kU32, {4294967295.0}, {});
  ints(DType::kI64, {-9007199254740991.0, 3}, {2});
  ints(DType::kF32, {}, {0, 3});
  for (const DType d : {DType::kF32, DType::kI32, DType::kU32}) {
    rows.push_back({"iota",
                    "iota " + std::string(kexue::name(d)),
                    {},
                    [d](const Values&, DType) -> Values {
                      return {ops::iota({d, {2, 3}}, 1)};
                    },
                    [](const std::vector<Doubles>&) {
                      return Doubles{0, 1, 2, 0, 1, 2};
                    },
                    0,
                    {DType::kF32}});
  }
  rows.push_back({"iota",
                  "iota along the first axis",
                  {},
                  [](const Values&, DType d) -> Values {
                    return {ops::iota({d, {3, 2}}, 0)};
                  },
                  [](const std::vector<Doubles>&) {
                    return Doubles{0, 0, 1, 1, 2, 2};
                  }});
}

void broadcast(std::vector<Row>& rows,
               const std::string& name,
               const Shape& in,
               const Shape& out,
               const std::vector<int64_t>& dims) {
  rows.push_back({"broadcast_in_dim",
                  name,
                  {{in}},
                  [=](const Values& x, DType) -> Values {
                    return {ops::broadcast_in_dim(x[0] * x[0], out, dims)};
                  },
                  [=](const std::vector<Doubles>& x) {
                    Doubles y;
                    for (int64_t i = 0; i < out.size(); ++i) {
                      const auto index = unravel(i, out);
                      int64_t at = 0;
                      for (int64_t a = 0; a < in.rank(); ++a) {
                        const auto d =
                            static_cast<size_t>(dims[static_cast<size_t>(a)]);
                        at = at * in[a] + (in[a] == 1 ? 0 : index[d]);
                      }
                      const double v = x[0][static_cast<size_t>(at)];
                      y.push_back(v * v);
                    }
                    return y;
                  },
                  3});
}

void add_moves(std::vector<Row>& rows) {
  broadcast(rows, "broadcast a scalar", {}, {2, 3}, {});
  broadcast(rows, "broadcast a middle axis", {3}, {2, 3, 4}, {1});
  broadcast(rows, "broadcast stretches 1", {2, 1}, {2, 5}, {0, 1});
  broadcast(rows, "broadcast to the same shape", {2, 3}, {2, 3}, {0, 1});
  broadcast(rows, "broadcast to nothing", {1}, {0, 3}, {1});
  const auto same = [](const std::vector<Doubles>& x) { return x[0]; };
  rows.push_back({"reshape",
                  "reshape with an open dimension",
                  {{{2, 6}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::reshape(x[0], {3, -1, 2})};
                  },
                  same,
                  2});
  rows.push_back({"reshape",
                  "reshape of nothing",
                  {{{0, 6}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::reshape(x[0], {3, 0})};
                  },
                  same,
                  2});
  rows.push_back({"reshape",
                  "reshape to a scalar",
                  {{{1, 1}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::reshape(x[0], {})};
                  },
                  same,
                  2});
  rows.push_back(
      {"transpose",
       "transpose of three axes",
       {{{2, 3, 4}}},
       [](const Values& x, DType) -> Values {
         return {ops::transpose(x[0], {2, 0, 1})};
       },
       picks({4, 2, 3},
             [](const auto& i) { return i[1] * 12 + i[2] * 4 + i[0]; }),
       2});
  rows.push_back(
      {"transpose",
       "transpose of bool",
       {{.shape = {2, 3}, .low = 0, .high = 2, .dtype = DType::kBool}},
       [](const Values& x, DType) -> Values {
         return {ops::transpose(x[0], {1, 0})};
       },
       picks({3, 2}, [](const auto& i) { return i[1] * 3 + i[0]; })});
  rows.push_back({"reverse",
                  "reverse two axes",
                  {{{2, 3, 4}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::reverse(x[0], {0, 2})};
                  },
                  picks({2, 3, 4},
                        [](const auto& i) {
                          return (1 - i[0]) * 12 + i[1] * 4 + 3 - i[2];
                        }),
                  2});
}

void add_joins(std::vector<Row>& rows) {
  rows.push_back({"concatenate",
                  "concatenate along the last axis",
                  {{{2, 3}}, {{2, 1}}, {{2, 0}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::concatenate({x[0], x[1], x[2]}, -1)};
                  },
                  [](const std::vector<Doubles>& x) {
                    return Doubles{x[0][0],
                                   x[0][1],
                                   x[0][2],
                                   x[1][0],
                                   x[0][3],
                                   x[0][4],
                                   x[0][5],
                                   x[1][1]};
                  },
                  2});
  rows.push_back({"pad",
                  "pad both sides",
                  {{{2, 3}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::pad(x[0], {1, 0}, {0, 2})};
                  },
                  picks({3, 5},
                        [](const auto& i) {
                          return i[0] == 0 || i[1] > 2 ? -1
                                                       : (i[0] - 1) * 3 + i[1];
                        }),
                  2});
  rows.push_back({"pad",
                  "pad with a value",
                  {{{1}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::pad(x[0], {1}, {1}, -7)};
                  },
                  [](const std::vector<Doubles>& x) {
                    return Doubles{-7, x[0][0], -7};
                  },
                  2});
}

// The identity on one device; tests/runtime/mesh_test.cc has several.
void add_shardings(std::vector<Row>& rows) {
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{0, 3}}) {
    rows.push_back({"shard",
                    "shard " + shape.str(),
                    {{shape}},
                    [](const Values& x, DType) -> Values {
                      std::vector<Sharding::Axes> dims;
                      if (x[0].rank() > 0) dims = {{"data"}};
                      return {ops::shard(x[0], Sharding(dims)) * x[0]};
                    },
                    [](const std::vector<Doubles>& x) {
                      Doubles y;
                      for (const double v : x[0]) y.push_back(v * v);
                      return y;
                    },
                    2});
  }
}

}  // namespace

void add_shape_rows(std::vector<Row>& rows) {
  add_shardings(rows);
  add_constants(rows);
  add_moves(rows);
  add_joins(rows);
}

void add_slice_rows(std::vector<Row>& rows) {
  rows.push_back(
      {"slice",
       "slice of two axes",
       {{{4, 5}}},
       [](const Values& x, DType) -> Values {
         return {ops::slice(x[0], {1, 2}, {3, 5})};
       },
       picks({2, 3}, [](const auto& i) { return (i[0] + 1) * 5 + i[1] + 2; }),
       2});
  rows.push_back({"slice",
                  "slice of nothing",
                  {{{4}}},
                  [](const Values& x, DType) -> Values {
                    return {ops::slice(x[0], {2}, {2})};
                  },
                  [](const std::vector<Doubles>&) { return Doubles{}; },
                  2});
  const auto start = [](double v) {
    return In{.shape = {}, .dtype = DType::kI32, .values = {v}};
  };
  // The second start is clamped to 2.
  rows.push_back(
      {"dynamic_slice",
       "dynamic_slice clamps",
       {{{4, 5}}, start(1), start(9)},
       [](const Values& x, DType) -> Values {
         return {ops::dynamic_slice(x[0] * x[0], {x[1], x[2]}, {2, 3})};
       },
       [](const std::vector<Doubles>& x) {
         Doubles y;
         for (size_t i = 1; i < 3; ++i) {
           for (size_t j = 2; j < 5; ++j) {
             y.push_back(x[0][i * 5 + j] * x[0][i * 5 + j]);
           }
         }
         return y;
       },
       3});
  rows.push_back({"dynamic_update_slice",
                  "dynamic_update_slice clamps below 0",
                  {{{3, 4}}, {{2, 2}}, start(-3), start(1)},
                  [](const Values& x, DType) -> Values {
                    return {ops::dynamic_update_slice(
                        x[0] * x[0], x[1] * x[1], {x[2], x[3]})};
                  },
                  [](const std::vector<Doubles>& x) {
                    Doubles y = x[0];
                    for (size_t i = 0; i < 2; ++i) {
                      for (size_t j = 0; j < 2; ++j) {
                        y[i * 4 + j + 1] = x[1][i * 2 + j];
                      }
                    }
                    for (double& v : y) v *= v;
                    return y;
                  },
                  3});
}

}  // namespace kexue::testing
