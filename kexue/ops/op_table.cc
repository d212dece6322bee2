#include "kexue/ops/op_table.h"

#include "kexue/ir/graph.h"
#include "kexue/ops/shape_ops.h"

namespace kexue::ops {

std::span<const OpDef* const> op_table() {
  static const OpDef* const table[] = {
#define KEXUE_OP(name) &name,
#include "kexue/ops/op_list.inc"
#undef KEXUE_OP
  };
  return table;
}

Value unary(const OpDef& op, const Value& x) {
  return x.graph().add(op, {x}).out();
}

Value binary(const OpDef& op, const Value& a, const Value& b) {
  if (a.shape() == b.shape()) return a.graph().add(op, {a, b}).out();
  const Shape shape = broadcast_shapes(a.shape(), b.shape(), op.name);
  const Value x = broadcast_to(a, shape);
  return x.graph().add(op, {x, broadcast_to(b, shape)}).out();
}

}  // namespace kexue::ops
