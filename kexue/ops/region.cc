#include "kexue/ops/region.h"

#include "kexue/ir/clone.h"
#include "kexue/ir/location.h"

namespace kexue::ops::detail {

TypeList types_of(const Values& values) {
  TypeList out;
  for (const Value& v : values) out.push_back(v.type());
  return out;
}

std::unique_ptr<Graph> trace_region(
    Graph& outer,
    const TypeList& types,
    const std::function<Values(const Values&)>& f) {
  auto inner = std::make_unique<Graph>(&outer, true);
  Values in;
  for (const auto& t : types) in.push_back(inner->input(t));
  const ir::Tracing tracing(*inner);
  const ir::UserCode user;
  inner->set_outputs(f(in));
  return inner;
}

Values close_regions(Regions& regions, const std::vector<size_t>& operands) {
  Values captures;
  for (const auto& r : regions) {
    for (const Value& v : r->captures()) {
      if (std::find(captures.begin(), captures.end(), v) == captures.end()) {
        captures.push_back(v);
      }
    }
  }
  for (size_t k = 0; k < regions.size(); ++k) {
    auto& r = regions[k];
    auto closed = std::make_unique<Graph>();
    Values args;
    for (size_t i = 0; i < operands[k]; ++i) {
      args.push_back(closed->input(r->inputs()[i].type()));
    }
    ir::ValueMap shared;
    for (const Value& v : captures) shared[v] = closed->input(v.type());
    for (const Value& v : r->captures()) args.push_back(shared.at(v));
    closed->set_outputs(ir::inline_graph(*r, args, *closed));
    r = std::move(closed);
  }
  return captures;
}

std::unique_ptr<Graph> reorder_inputs(const Graph& region,
                                      const std::vector<size_t>& order) {
  auto made = std::make_unique<Graph>();
  Values args(order.size());
  for (const size_t k : order) {
    args[k] = made->input(region.inputs()[k].type());
  }
  made->set_outputs(ir::inline_graph(region, args, *made));
  return made;
}

Values prune_outputs(const Node& n,
                     const Values& inputs,
                     const std::vector<bool>& used) {
  if (std::find(used.begin(), used.end(), false) == used.end()) return {};
  Regions regions;
  for (const auto& r : n.regions) {
    regions.push_back(ir::clone(*r));
    Values outs;
    for (size_t i = 0; i < used.size(); ++i) {
      if (used[i]) outs.push_back(regions.back()->outputs()[i]);
    }
    regions.back()->set_outputs(outs);
  }
  Node& made =
      inputs[0].graph().add(*n.op, inputs, n.attrs, std::move(regions));
  Values result;
  int at = 0;
  for (const bool u : used) result.push_back(u ? made.out(at++) : Value{});
  return result;
}

}  // namespace kexue::ops::detail
