// What a convolution's letters and numbers mean. Private to kexue/ops.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kexue/ir/graph.h"
#include "kexue/ops/window.h"
#include "kexue/stablehlo/emitter.h"

namespace kexue::ops::detail {

// "b01f,01io->b01f" taken apart: the place of each letter in its term.
struct ConvSpec {
  std::string lhs_term, rhs_term, out_term;
  int64_t lhs_b, lhs_f;
  int64_t rhs_i, rhs_o;
  int64_t out_b, out_f;
  std::vector<int64_t> lhs_space, rhs_space, out_space;

  size_t rank() const { return lhs_space.size(); }  // spatial dimensions
};

// Errors: kInvalidArgument saying what is wrong with the text.
ConvSpec parse_conv(const std::string& text);

// The sizes of the dimensions at `places`.
std::vector<int64_t> sizes_at(const Shape& shape,
                              const std::vector<int64_t>& places);

// `text` with two letters exchanged.
std::string exchanged(std::string text, char a, char b);

// The window of a convolution node; `kernel` is the right input's shape.
WindowSpec conv_window(const ir::Attrs& attrs,
                       const ConvSpec& spec,
                       const Shape& kernel);

// The convolution of many examples (and kernels) as one; conv_batch.cc.
Values batch_conv(const BatchContext& c);

// The kernel that can compute this convolution, or ""; conv_kernel.cc.
std::string_view conv_kernel(const Node& node);
// Writes the call of that kernel.
void lower_conv_call(stablehlo::Emitter& emitter, const Node& node);

}  // namespace kexue::ops::detail
