// The typed graph that tracing builds and transforms rewrite.
#pragma once

#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kexue/ir/attrs.h"
#include "kexue/ir/op.h"
#include "kexue/ir/value.h"

namespace kexue::ir {

struct Node {
  const OpDef* op = nullptr;
  Values inputs;
  std::vector<TensorType> types;  // one per output
  Attrs attrs;
  std::vector<std::unique_ptr<Graph>> regions;
  std::string scope;
  std::source_location where;  // of the call that made it
  int order = 0;  // 0: the program's own, n: made by the n-th derivative
  Graph* graph = nullptr;
  int64_t id = 0;  // position in the graph; inputs have smaller ids

  Value out(int i = 0) { return {this, i}; }
  Values outs();
  std::vector<Graph*> region_list() const;
};

// The op of graph inputs. It has no rules: transforms ask is_input().
extern const OpDef kInput;

// A list of nodes in topological order, with inputs and outputs. Owns its
// nodes and their regions. Not copyable (see ir/clone.h), not thread-safe.
//
// While a region is traced (a scan's body), its graph knows its parent: a
// value of the parent that is used inside becomes an extra input, a capture.
// What is computed from outer values alone stands in the parent, unless the
// region keeps its ops: a branch must not run when it is not taken.
class Graph final {
 public:
  Graph() = default;
  explicit Graph(Graph* parent, bool keeps_ops = false)
      : parent_(parent), keeps_ops_(keeps_ops) {}
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Appends an input. Names need not be unique; they serve messages.
  Value input(TensorType type, std::string name = "");

  // Appends a node to the innermost graph among the inputs' graphs (to this
  // one if there are none; to the region under trace if that keeps its ops)
  // and returns it. Types come from op.infer.
  // Errors: what op.infer throws, with the scope; kInvalidArgument if the
  // inputs belong to unrelated graphs.
  Node& add(const OpDef& op,
            Values inputs,
            Attrs attrs = {},
            std::vector<std::unique_ptr<Graph>> regions = {});

  // v itself, or the input that stands for it if v belongs to an ancestor.
  Value import(const Value& v);

  const std::vector<Value>& inputs() const { return inputs_; }
  const Values& outputs() const { return outputs_; }
  void set_outputs(Values outputs);
  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }

  Graph* parent() const { return parent_; }
  // Outer values used inside, in order; the inputs that stand for them are
  // the last captures().size() inputs.
  const Values& captures() const { return captures_; }
  // Ends tracing: the graph is closed from now on.
  void close() { parent_ = nullptr; }

  // Named values that code deep inside a trace looks up: parameters, the
  // random key. Looks in this graph, then in its ancestors (and imports).
  void bind(const void* key, Value value);
  Value find(const void* key);

 private:
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Value> inputs_;
  Values outputs_;
  Graph* parent_ = nullptr;
  bool keeps_ops_ = false;
  Values captures_;
  // The graph that a node on values of `home` goes to.
  static Graph* keeper(Graph* home);
  std::unordered_map<Value, Value, ValueHash> imported_;
  std::unordered_map<const void*, Value> bindings_;
};

bool is_input(const Node& node);

// Makes `graph` the one that input-less ops (constants) are added to.
class Tracing final {
 public:
  explicit Tracing(Graph& graph);
  ~Tracing();
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

  // The innermost graph being traced on this thread; kInvalidArgument if none.
  static Graph& current();
  // `graph`, or the region of it (at any depth) that is being traced.
  static Graph& innermost(Graph& graph);

 private:
  Graph* previous_;
};

// Names the part of the model that ops belong to: Scope s("encoder").
class Scope final {
 public:
  explicit Scope(std::string_view name);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // "bert/encoder/attention"
  static const std::string& path();

 private:
  size_t previous_length_;
};

}  // namespace kexue::ir

namespace kexue {
using ir::Graph;
using ir::Scope;
}  // namespace kexue
