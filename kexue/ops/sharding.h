// Where the parts of a tensor are when a program runs on several devices.
#pragma once

#include "kexue/base/sharding.h"
#include "kexue/ir/location.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// y = x, and on a mesh each device holds the part of y that `sharding` gives
// it. A program for one device ignores it. The gradient is placed alike.
//
// Shapes:  [...] -> the same.
// Errors:  kInvalidArgument if the sharding has more dimensions than x. When
//          the program is compiled for a mesh: kInvalidArgument for an axis
//          that the mesh lacks, or that does not divide its dimension.
// Source:  derived; lowers to Shardy's sdy.sharding_constraint.
Value shard(const Arg& x, const Sharding& sharding);

}  // namespace kexue::ops
