// The decompositions that no plugin has, from plain ops. Private to kexue/ops.
// The inputs are f32 or f64 matrices, the outputs those of the op.
#pragma once

#include "kexue/ir/value.h"

namespace kexue::ops::detail {

// a [...,n,n] -> packed, perm, sign.
Values compose_lu(const Value& a);
// a [...,m,n] with m >= n -> q [...,m,n], r [...,n,n].
Values compose_qr(const Value& a);
// a [...,n,n] symmetric -> w, v.
Values compose_eigh(const Value& a);
// a [...,m,n] with m >= n -> u [...,m,n], s [...,n], v [...,n,n].
Values compose_svd(const Value& a);

}  // namespace kexue::ops::detail
