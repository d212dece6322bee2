// One tensor inside a graph.
#pragma once

#include <cstdint>
#include <vector>

#include "kexue/base/shape.h"

namespace kexue::ir {

class Graph;
struct Node;

// Output `index` of a node. A handle: copying is free, the graph owns the
// node and must outlive the handle. A default-made Value is empty.
class Value {  // not final: ir::Arg adds the line of the call
 public:
  Value() = default;
  Value(Node* node, int index) : node_(node), index_(index) {}

  explicit operator bool() const { return node_ != nullptr; }
  // Identity, not element-wise comparison (that is ops::equal).
  bool operator==(const Value&) const = default;

  Node* node() const { return node_; }
  int index() const { return index_; }
  Graph& graph() const;
  const TensorType& type() const;
  const Shape& shape() const { return type().shape; }
  DType dtype() const { return type().dtype; }
  int64_t rank() const { return shape().rank(); }
  int64_t dim(int64_t axis) const { return shape()[axis]; }

 private:
  Node* node_ = nullptr;
  int index_ = 0;
};

using Values = std::vector<Value>;

struct ValueHash {
  size_t operator()(const Value& v) const {
    return reinterpret_cast<size_t>(v.node()) / 16 * 31 +
           static_cast<size_t>(v.index());
  }
};

}  // namespace kexue::ir

namespace kexue {
using ir::Value;
using ir::Values;
}  // namespace kexue
