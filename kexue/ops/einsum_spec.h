// Einsum letters, taken apart; and the matmul kernel's view of a problem.
// Private to kexue/ops.
#pragma once

#include <string>
#include <string_view>

#include "kexue/ir/graph.h"
#include "kexue/stablehlo/emitter.h"

namespace kexue::ops::detail {

struct EinsumSpec {
  std::string a;
  std::string b;
  std::string out;
  std::string batch;  // in all three, in the order of `out`
  std::string m;      // in a and out
  std::string n;      // in b and out
  std::string k;      // in a and b
};

// Errors: kInvalidArgument saying what is wrong with the text.
EinsumSpec parse_einsum(const std::string& text);

// The kernel that can compute this product, or "".
std::string_view matmul_kernel(const Node& node);
// Writes the call of that kernel.
void lower_matmul_call(stablehlo::Emitter& emitter, const Node& node);

}  // namespace kexue::ops::detail
