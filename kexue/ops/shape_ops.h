// Constants, and ops that move elements without computing.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// ---- constants ------------------------------------------------------------
// Added to the graph being traced; the _like forms to x's graph.
Value constant(const HostArray& value);
Value full(const TensorType& type, double value);
Value scalar_like(const Arg& x, double value);  // x's dtype, rank 0
Value full_like(const Arg& x, double value);    // x's type
Value zeros_like(const Arg& x);
Value ones_like(const Arg& x);
// 0, 1, 2, ... along `axis`, equal elsewhere.
Value iota(const TensorType& type, int64_t axis = 0);

// ---- shape ----------------------------------------------------------------
// NumPy's rule; kInvalidArgument naming `who` and both shapes.
Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view who);
Value broadcast_to(const Arg& x, const Shape& shape);
// Dimension i of x becomes dimension dims[i] of the result.
Value broadcast_in_dim(const Arg& x,
                       const Shape& shape,
                       const std::vector<int64_t>& dims);
// One dimension may be -1: what is left.
Value reshape(const Arg& x, const std::vector<int64_t>& dims);
// Dimension i of the result is dimension perm[i] of x.
Value transpose(const Arg& x, const std::vector<int64_t>& perm);
Value concatenate(const Values& parts, int64_t axis);
// x[start:limit] in every dimension.
Value slice(const Arg& x,
            const std::vector<int64_t>& start,
            const std::vector<int64_t>& limit);
// x[..., start:limit, ...] along one axis.
Value slice_axis(const Arg& x, int64_t axis, int64_t start, int64_t limit);
// `low` and `high` elements of `value` around x, in every dimension.
Value pad(const Arg& x,
          const std::vector<int64_t>& low,
          const std::vector<int64_t>& high,
          double value = 0);
Value reverse(const Arg& x, const std::vector<int64_t>& axes);

// A block of shape `sizes` at `start` (i32 scalars, clamped so that the block
// fits), and x with such a block replaced by `update`.
Value dynamic_slice(const Arg& x,
                    const Values& start,
                    const std::vector<int64_t>& sizes);
Value dynamic_update_slice(const Arg& x,
                           const Value& update,
                           const Values& start);

}  // namespace kexue::ops
