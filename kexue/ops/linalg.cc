#include "kexue/ops/linalg.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "kexue/ops/batch_rules.h"
#include "kexue/ops/complex.h"
#include "kexue/ops/einsum_spec.h"
#include "kexue/ops/elementwise.h"
#include "kexue/ops/fused.h"
#include "kexue/ops/op_table.h"
#include "kexue/ops/reduce.h"
#include "kexue/ops/shape_ops.h"
#include "kexue/ops/support.h"

namespace kexue::ops {
namespace {

using namespace detail;

using Sizes = std::map<char, int64_t>;

Sizes sizes_of(const InferContext& c, const EinsumSpec& s) {
  Sizes sizes;
  for (const auto& [letters, type] :
       {std::pair(&s.a, &c.type(0)), std::pair(&s.b, &c.type(1))}) {
    if (static_cast<int64_t>(letters->size()) != type->shape.rank()) {
      refuse(c, fmt::format("\"{}\" has the wrong rank", *letters));
    }
    for (size_t i = 0; i < letters->size(); ++i) {
      const int64_t d = type->shape.dims()[i];
      const auto [at, fresh] = sizes.emplace((*letters)[i], d);
      if (!fresh && at->second != d) {
        refuse(c,
               fmt::format("letter '{}' of \"{}\" is both {} and {}",
                           (*letters)[i],
                           c.attrs.s("spec"),
                           at->second,
                           d));
      }
    }
  }
  return sizes;
}

TypeList infer_matmul(const InferContext& c) {
  if (c.inputs.size() != 2 && c.inputs.size() != 3) {
    refuse(c, "wants two factors and at most a bias");
  }
  if (c.type(0).dtype != c.type(1).dtype || !is_inexact(c.type(0).dtype)) {
    refuse(c, "wants two float or complex tensors of one dtype");
  }
  const EinsumSpec s = parse_einsum(c.attrs.s("spec"));
  const Sizes sizes = sizes_of(c, s);
  std::vector<int64_t> dims;
  for (const char l : s.out) dims.push_back(sizes.at(l));
  if (c.inputs.size() == 3) {
    const auto& bias = c.type(2).shape.dims();
    if (bias.size() > dims.size() ||
        !std::equal(bias.rbegin(), bias.rend(), dims.rbegin())) {
      refuse(c, "the bias is not the tail of " + Shape(dims).str());
    }
  }
  return {{c.attrs.dtype("dtype"), Shape(dims)}};
}

Value contract(const std::string& spec,
               const Value& a,
               const Value& b,
               DType dtype) {
  return a.graph()
      .add(kMatmul, {a, b}, {{"spec", spec}, {"dtype", dtype}})
      .out();
}

Value bias_grad(const Value& dy, const Value& bias) {
  Axes axes(static_cast<size_t>(dy.rank() - bias.rank()));
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
  const bool rows = is_float(dy.dtype()) && bias.rank() == 1;
  Value sums = dy;
  if (!axes.empty()) sums = rows ? column_sum(dy) : sum(dy, axes);
  return convert(sums, bias.dtype());
}

Values matmul_vjp(const VjpContext& c) {
  const EinsumSpec s = parse_einsum(c.node.attrs.s("spec"));
  const DType dtype = c.x[0].dtype();
  const Value dy = convert(c.dy, dtype);
  Values out(c.x.size());
  if (c.needs[0]) {
    out[0] = contract(s.out + "," + s.b + "->" + s.a, dy, conj(c.x[1]), dtype);
  }
  if (c.needs[1]) {
    out[1] = contract(s.a + "," + s.out + "->" + s.b, conj(c.x[0]), dy, dtype);
  }
  if (c.x.size() == 3 && c.needs[2]) {
    out[2] = bias_grad(c.dy, c.x[2]);
  }
  return out;
}

std::vector<int64_t> places(const std::string& letters, const std::string& in) {
  std::vector<int64_t> out;
  for (const char c : letters) out.push_back(static_cast<int64_t>(in.find(c)));
  return out;
}

// dot_general gives [batch, m, n]; the transpose brings it to `out`.
void lower_dot(Emitter& e, const Node& n) {
  const EinsumSpec s = parse_einsum(n.attrs.s("spec"));
  const std::string natural = s.batch + s.m + s.n;
  const auto perm = places(s.out, natural);
  std::vector<int64_t> dims(natural.size());
  for (size_t i = 0; i < perm.size(); ++i) {
    dims[static_cast<size_t>(perm[i])] = n.types[0].shape.dims()[i];
  }
  const TensorType type{n.types[0].dtype, Shape(dims)};
  const auto list = [](const std::vector<int64_t>& v) {
    return fmt::format("[{}]", fmt::join(v, ", "));
  };
  std::vector<stablehlo::Ssa> factors;
  for (size_t i = 0; i < 2; ++i) {
    factors.push_back(e.get(n.inputs[i]));
    if (!e.mixed_products() && factors.back().type.dtype != type.dtype) {
      const TensorType wide{type.dtype, factors.back().type.shape};
      factors.back() = e.emit("stablehlo.convert", {factors.back()}, {wide})[0];
    }
  }
  auto out = e.emit(
      "stablehlo.dot_general",
      factors,
      {type},
      fmt::format("dot_dimension_numbers = #stablehlo.dot<"
                  "lhs_batching_dimensions = {}, rhs_batching_dimensions = {}, "
                  "lhs_contracting_dimensions = {}, "
                  "rhs_contracting_dimensions = {}>",
                  list(places(s.batch, s.a)),
                  list(places(s.batch, s.b)),
                  list(places(s.k, s.a)),
                  list(places(s.k, s.b))));
  if (s.out != natural) {
    out = e.emit("stablehlo.transpose",
                 out,
                 {n.types[0]},
                 "permutation = " + stablehlo::int_array(perm));
  }
  if (n.inputs.size() == 3) {
    auto bias = e.get(n.inputs[2]);
    if (bias.type.dtype != n.types[0].dtype) {
      bias = e.emit("stablehlo.convert",
                    {bias},
                    {{n.types[0].dtype, bias.type.shape}})[0];
    }
    std::vector<int64_t> tail;
    for (int64_t i = 0; i < bias.type.shape.rank(); ++i) {
      tail.push_back(n.types[0].shape.rank() - bias.type.shape.rank() + i);
    }
    bias = e.emit("stablehlo.broadcast_in_dim",
                  {bias},
                  {n.types[0]},
                  "broadcast_dimensions = " + stablehlo::int_array(tail))[0];
    out = e.emit("stablehlo.add", {out[0], bias}, {n.types[0]});
  }
  e.bind(const_cast<Node&>(n).out(), out[0]);
}

// `value` turns an input into elements, double or Complex.
template <class ToElements>
auto products(const EvalContext& c, ToElements&& value) {
  const EinsumSpec s = parse_einsum(c.node.attrs.s("spec"));
  const TensorType& type = c.node.types[0];
  const auto letter_stride = [](const std::string& term, const Shape& shape) {
    std::map<char, int64_t> out;
    const auto st = shape.strides();
    for (size_t i = 0; i < term.size(); ++i) out[term[i]] = st[i];
    return out;
  };
  const auto sa = letter_stride(s.a, c.x[0].shape());
  const auto sb = letter_stride(s.b, c.x[1].shape());
  const auto at = [](const std::map<char, int64_t>& m, char l) {
    const auto f = m.find(l);
    return f == m.end() ? int64_t{0} : f->second;
  };
  std::vector<int64_t> k_dims;
  for (const char l : s.k)
    k_dims.push_back(c.x[0].shape()[static_cast<int64_t>(s.a.find(l))]);
  const Shape ks(k_dims);
  const auto a = value(c.x[0]);
  const auto b = value(c.x[1]);
  auto out = value(HostArray(type));
  IndexWalk o(type.shape);
  for (auto& y : out) {
    int64_t pa = 0;
    int64_t pb = 0;
    for (size_t i = 0; i < s.out.size(); ++i) {
      pa += at(sa, s.out[i]) * o.index()[i];
      pb += at(sb, s.out[i]) * o.index()[i];
    }
    IndexWalk k(ks);
    for (int64_t n = ks.size(); n > 0; --n, k.next()) {
      int64_t qa = pa;
      int64_t qb = pb;
      for (size_t i = 0; i < s.k.size(); ++i) {
        qa += at(sa, s.k[i]) * k.index()[i];
        qb += at(sb, s.k[i]) * k.index()[i];
      }
      y += a[static_cast<size_t>(qa)] * b[static_cast<size_t>(qb)];
    }
    o.next();
  }
  if (c.x.size() == 3) {
    const auto bias = value(c.x[2]);
    for (size_t i = 0; i < out.size(); ++i) out[i] += bias[i % bias.size()];
  }
  return out;
}

std::vector<HostArray> eval_matmul(const EvalContext& c) {
  const TensorType& type = c.node.types[0];
  if (is_complex(type.dtype)) {
    return {HostArray::from_complexes(type, products(c, [](const HostArray& x) {
                                        return x.to_complexes();
                                      }))};
  }
  return {make_floats(
      type, products(c, [](const HostArray& x) { return x.to_doubles(); }))};
}

}  // namespace

constexpr OpDef kMatmul{
    .name = "matmul",
    .infer = infer_matmul,
    .vjp = matmul_vjp,
    .lower =
        [](Emitter& e, const Node& n) {
          e.use_kernel(matmul_kernel(n)) ? lower_matmul_call(e, n)
                                         : lower_dot(e, n);
        },
    .eval = eval_matmul,
    .batch = batch_matmul,
    .kernel = matmul_kernel,
    .flops =
        [](const Node& n) {
          const EinsumSpec s = parse_einsum(n.attrs.s("spec"));
          double count = 2 * static_cast<double>(n.types[0].shape.size());
          for (const char l : s.k) {
            count *= static_cast<double>(
                n.inputs[0].dim(static_cast<int64_t>(s.a.find(l))));
          }
          return count;
        },
    .cast = Cast::kCompute,
    .keep_inputs = 4,  // the bias is added to the f32 sums
};

Value einsum(const std::string& spec, const Arg& a, const Value& b) {
  return contract(spec, a, b, a.dtype());
}

Value einsum(const std::string& spec,
             const Arg& a,
             const Value& b,
             const Value& bias) {
  return a.graph()
      .add(kMatmul, {a, b, bias}, {{"spec", spec}, {"dtype", a.dtype()}})
      .out();
}

Value matmul(const Arg& a, const Value& b) {
  const std::string lead =
      std::string("abcdefgh").substr(0, static_cast<size_t>(a.rank() - 1));
  const bool batched = b.rank() > 2;
  const std::string outer = lead.substr(0, lead.size() - 1);
  return einsum(
      lead + "k," + (batched ? outer : "") + "kn->" + lead + "n", a, b);
}

}  // namespace kexue::ops
