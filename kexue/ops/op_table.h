// The list of all ops (for the sweep that tests each), and how to add a node.
#pragma once

#include <span>

#include "kexue/ir/op.h"
#include "kexue/ir/value.h"

namespace kexue::ops {

// Every primitive and fused op. A test fails for an op without a row there.
std::span<const OpDef* const> op_table();

// One declaration an op: gives the constants external linkage.
#define KEXUE_OP(name) extern const OpDef name;
#include "kexue/ops/op_list.inc"
#undef KEXUE_OP

// A node with one input, or with two broadcast to one shape.
Value unary(const OpDef& op, const Value& x);
Value binary(const OpDef& op, const Value& a, const Value& b);

}  // namespace kexue::ops
