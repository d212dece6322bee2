#include "kexue/ir/graph.h"

#include <algorithm>

#include "kexue/base/error.h"
#include "kexue/ir/location.h"

namespace kexue::ir {
namespace {

thread_local Graph* current_graph = nullptr;
thread_local std::string scope_path;
thread_local std::source_location location;
thread_local bool inside_call = false;
thread_local int derivative_order = 0;

bool is_ancestor(const Graph* maybe, const Graph* of) {
  for (const Graph* g = of; g != nullptr; g = g->parent()) {
    if (g == maybe) return true;
  }
  return false;
}

}  // namespace

const OpDef kInput{.name = "input", .cast = Cast::kKeep};

bool is_input(const Node& node) {
  return node.op == &kInput;
}

Graph& Value::graph() const {
  return *node_->graph;
}

const TensorType& Value::type() const {
  if (node_ == nullptr) {
    throw Error(Code::kInvalidArgument, "use of an empty Value");
  }
  return node_->types[static_cast<size_t>(index_)];
}

Values Node::outs() {
  Values v;
  for (int i = 0; i < static_cast<int>(types.size()); ++i) v.push_back(out(i));
  return v;
}

std::vector<Graph*> Node::region_list() const {
  std::vector<Graph*> list;
  for (const auto& r : regions) list.push_back(r.get());
  return list;
}

Value Graph::input(TensorType type, std::string name) {
  auto node = std::make_unique<Node>();
  node->op = &kInput;
  node->types = {std::move(type)};
  if (!name.empty()) node->attrs.set("name", std::move(name));
  node->graph = this;
  node->id = static_cast<int64_t>(nodes_.size());
  nodes_.push_back(std::move(node));
  inputs_.push_back(nodes_.back()->out());
  return inputs_.back();
}

Node& Graph::add(const OpDef& op,
                 Values inputs,
                 Attrs attrs,
                 std::vector<std::unique_ptr<Graph>> regions) {
  Graph* home = inputs.empty() ? this : &inputs[0].graph();
  for (const Value& v : inputs) {
    if (is_ancestor(home, &v.graph())) home = &v.graph();
  }
  home = keeper(home);
  for (Value& v : inputs) v = home->import(v);
  auto node = std::make_unique<Node>();
  node->op = &op;
  node->inputs = std::move(inputs);
  node->attrs = std::move(attrs);
  node->regions = std::move(regions);
  node->scope = scope_path;
  node->where = location;
  node->order = derivative_order;
  node->graph = home;
  node->id = static_cast<int64_t>(home->nodes_.size());
  try {
    node->types =
        op.infer({op.name, node->inputs, node->attrs, node->region_list()});
  } catch (const Error& e) {
    throw located(e);
  }
  home->nodes_.push_back(std::move(node));
  return *home->nodes_.back();
}

Graph* Graph::keeper(Graph* home) {
  if (!is_ancestor(home, current_graph)) return home;
  for (Graph* g = current_graph; g != home; g = g->parent_) {
    if (g->keeps_ops_) return g;
  }
  return home;
}

Value Graph::import(const Value& v) {
  if (!v) throw Error(Code::kInvalidArgument, "use of an empty Value");
  if (&v.graph() == this) return v;
  if (parent_ == nullptr || !is_ancestor(&v.graph(), parent_)) {
    throw Error(Code::kInvalidArgument,
                "values of two unrelated graphs were combined",
                "a value lives only inside the function that is traced");
  }
  const Value outer = parent_->import(v);
  const auto found = imported_.find(outer);
  if (found != imported_.end()) return found->second;
  const Value inner = input(outer.type(), "capture");
  captures_.push_back(outer);
  imported_.emplace(outer, inner);
  return inner;
}

void Graph::set_outputs(Values outputs) {
  for (Value& v : outputs) v = import(v);
  outputs_ = std::move(outputs);
}

void Graph::bind(const void* key, Value value) {
  bindings_[key] = value;
}

Value Graph::find(const void* key) {
  for (Graph* g = this; g != nullptr; g = g->parent_) {
    const auto found = g->bindings_.find(key);
    if (found != g->bindings_.end()) {
      return found->second ? import(found->second) : Value{};
    }
  }
  return {};
}

Tracing::Tracing(Graph& graph) : previous_(current_graph) {
  current_graph = &graph;
}
Tracing::~Tracing() {
  current_graph = previous_;
}

Graph& Tracing::current() {
  if (current_graph == nullptr) {
    throw Error(Code::kInvalidArgument,
                "no graph is being traced",
                "constants and parameters exist only inside jit or grad");
  }
  return *current_graph;
}

Graph& Tracing::innermost(Graph& graph) {
  return is_ancestor(&graph, current_graph) ? *current_graph : graph;
}

Scope::Scope(std::string_view name) : previous_length_(scope_path.size()) {
  if (!scope_path.empty()) scope_path += '/';
  scope_path += name;
}
Scope::~Scope() {
  scope_path.resize(previous_length_);
}
const std::string& Scope::path() {
  return scope_path;
}

Arg::Arg(const Value& v, const std::source_location& where)
    : Value(v), outermost_(!inside_call) {
  if (!outermost_) return;
  inside_call = true;
  location = where;
}
Arg::~Arg() {
  if (!outermost_) return;
  inside_call = false;
  location = {};
}

const std::source_location& current_location() {
  return location;
}

std::string to_string(const std::source_location& where) {
  if (where.line() == 0) return "";
  const std::string_view file = where.file_name();
  const size_t slash = file.rfind('/');
  return std::string(file.substr(slash == file.npos ? 0 : slash + 1)) + ":" +
         std::to_string(where.line());
}

Error located(const Error& e) {
  return e.with_scope(scope_path).with_line(to_string(location));
}

UserCode::UserCode() : where_(location), was_inside_(inside_call) {
  inside_call = false;
  location = {};
}
UserCode::~UserCode() {
  inside_call = was_inside_;
  location = where_;
}

NodeOrigin::NodeOrigin(const Node& node, int derivatives)
    : scope_(scope_path),
      where_(location),
      was_inside_(inside_call),
      order_(derivative_order) {
  scope_path = node.scope;
  location = node.where;
  inside_call = true;
  derivative_order = node.order + derivatives;
}
NodeOrigin::NodeOrigin(int derivatives)
    : scope_(scope_path),
      where_(location),
      was_inside_(inside_call),
      order_(derivative_order) {
  derivative_order += derivatives;
}
NodeOrigin::~NodeOrigin() {
  scope_path = scope_;
  location = where_;
  inside_call = was_inside_;
  derivative_order = order_;
}

}  // namespace kexue::ir
