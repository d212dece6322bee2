#include "kexue/ops/einsum_spec.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/ir/location.h"

namespace kexue::ops::detail {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool has(const std::string& s, char c) {
  return s.find(c) != std::string::npos;
}

// One group of letters as a single dimension with one stride, if possible.
struct Merged {
  int64_t size = 1;
  int64_t stride = 0;
  bool ok = true;
};

Merged merge(const std::string& group,
             const std::string& term,
             const Shape& shape) {
  Merged m;
  const auto strides = shape.strides();
  bool first = true;
  for (size_t i = group.size(); i-- > 0;) {
    const size_t at = term.find(group[i]);
    const int64_t d = shape.dims()[at];
    if (d == 1) continue;
    if (first) {
      m.stride = strides[at];
      first = false;
    } else if (strides[at] != m.stride * m.size) {
      m.ok = false;
    }
    m.size *= d;
  }
  if (first) m.stride = 1;
  return m;
}

struct KernelShape {
  std::vector<int64_t> sizes;  // B1 B2 M N K
  std::vector<int64_t> a, b, c;
  bool ok = true;
};

// The problem as c[b1,b2,m,n] = sum_k a[b1,b2,m,k] b[b1,b2,k,n] with strides.
KernelShape kernel_shape(const Node& n) {
  const EinsumSpec s = parse_einsum(n.attrs.s("spec"));
  KernelShape r;
  r.ok = s.batch.size() <= 2;
  if (!r.ok) return r;
  std::vector<std::string> batch = {"", ""};
  for (size_t i = 0; i < s.batch.size(); ++i) {
    batch[2 - s.batch.size() + i] = s.batch.substr(i, 1);
  }
  const auto add = [&](const std::string& g,
                       const std::string& t1,
                       const Shape& s1,
                       std::vector<int64_t>& o1,
                       const std::string& t2,
                       const Shape& s2,
                       std::vector<int64_t>& o2) {
    const Merged x = merge(g, t1, s1);
    const Merged y = merge(g, t2, s2);
    r.ok = r.ok && x.ok && y.ok;
    o1.push_back(x.stride);
    o2.push_back(y.stride);
    return x.size;
  };
  const Shape& A = n.inputs[0].shape();
  const Shape& B = n.inputs[1].shape();
  const Shape& C = n.types[0].shape;
  std::vector<int64_t> ignored;
  for (const auto& g : batch) {
    r.sizes.push_back(add(g, s.a, A, r.a, s.b, B, r.b));
    add(g, s.out, C, r.c, s.a, A, ignored);
  }
  const int64_t m = add(s.m, s.a, A, r.a, s.out, C, r.c);
  const int64_t k = add(s.k, s.a, A, r.a, s.b, B, r.b);
  const int64_t cols = add(s.n, s.b, B, r.b, s.out, C, r.c);
  r.sizes.insert(r.sizes.end(), {m, cols, k});
  return r;
}

// Below this many multiply-adds the call costs more than XLA's own loop.
constexpr int64_t kSmallestProduct = 1 << 15;

}  // namespace

EinsumSpec parse_einsum(const std::string& text) {
  const auto bad = [&](const std::string& why) {
    throw ir::located(
        {Code::kInvalidArgument, fmt::format("einsum \"{}\": {}", text, why)});
  };
  EinsumSpec s;
  const size_t comma = text.find(',');
  const size_t arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos ||
      comma > arrow) {
    bad("wants the form \"ab,bc->ac\"");
  }
  s.a = text.substr(0, comma);
  s.b = text.substr(comma + 1, arrow - comma - 1);
  s.out = text.substr(arrow + 2);
  for (const std::string* part : {&s.a, &s.b, &s.out}) {
    for (size_t i = 0; i < part->size(); ++i) {
      if (!is_letter((*part)[i])) bad("wants letters");
      if (part->find((*part)[i], i + 1) != std::string::npos) {
        bad("a letter occurs twice in one term");
      }
    }
  }
  for (const char c : s.out) {
    const bool in_a = has(s.a, c);
    const bool in_b = has(s.b, c);
    if (!in_a && !in_b) bad("a result letter is in no input");
    (in_a && in_b ? s.batch : in_a ? s.m : s.n) += c;
  }
  for (const char c : s.a) {
    if (has(s.out, c)) continue;
    if (!has(s.b, c)) bad("a letter occurs in one input only; sum it first");
    s.k += c;
  }
  for (const char c : s.b) {
    if (!has(s.a, c) && !has(s.out, c)) {
      bad("a letter occurs in one input only; sum it first");
    }
  }
  return s;
}

std::string_view matmul_kernel(const Node& n) {
  const DType in = n.inputs[0].dtype();
  const DType out = n.types[0].dtype;
  const bool f32 = in == DType::kF32 && out == DType::kF32;
  const bool bf16 =
      in == DType::kBF16 && (out == DType::kF32 || out == DType::kBF16);
  if (!f32 && !bf16) return "";
  if (n.inputs.size() == 3 &&
      (n.inputs[2].rank() != 1 || n.inputs[2].dtype() != DType::kF32)) {
    return "";
  }
  const KernelShape r = kernel_shape(n);
  if (!r.ok) return "";
  int64_t work = 1;
  for (const int64_t d : r.sizes) work *= d;
  return work >= kSmallestProduct ? "kexue_matmul" : "";
}

void lower_matmul_call(stablehlo::Emitter& e, const Node& n) {
  const KernelShape r = kernel_shape(n);
  e.custom_call(n,
                "kexue_matmul",
                fmt::format("sizes = {}, a_strides = {}, b_strides = {}, "
                            "c_strides = {}",
                            stablehlo::int_array(r.sizes),
                            stablehlo::int_array(r.a),
                            stablehlo::int_array(r.b),
                            stablehlo::int_array(r.c)));
}

}  // namespace kexue::ops::detail
