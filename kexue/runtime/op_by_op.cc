#include "kexue/runtime/op_by_op.h"

#include <fmt/format.h>

#include <chrono>

#include "kexue/base/error.h"
#include "kexue/base/hash.h"
#include "kexue/ir/clone.h"
#include "kexue/ir/flops.h"
#include "kexue/transforms/simplify.h"
#include "kexue/transforms/unroll.h"

namespace kexue::runtime {
namespace {

// The rewrites are done by then: nothing is left to change in one op.
const CompileOptions kAsItIs = {
    .compute = DType::kF32, .low_glue = false, .unroll = 0, .alias = {}};

std::unique_ptr<ir::Graph> graph_of(const ir::Node& node) {
  auto graph = std::make_unique<ir::Graph>();
  const ir::Tracing tracing(*graph);
  Values inputs;
  for (const Value& v : node.inputs) inputs.push_back(graph->input(v.type()));
  graph->set_outputs(ir::clone_node(node, inputs, *graph).outs());
  return graph;
}

OpByOp::Info info_of(const ir::Node& node) {
  OpByOp::Info info{std::string(node.op->name), node.scope};
  info.flops = ir::flops(node);
  for (const Value& v : node.inputs) {
    info.bytes += static_cast<double>(v.type().bytes());
  }
  for (const auto& type : node.types) {
    info.bytes += static_cast<double>(type.bytes());
  }
  return info;
}

}  // namespace

OpByOp::OpByOp(const Session& session,
               const ir::Graph& graph,
               const CompileOptions& options)
    : session_(&session) {
  const auto start = std::chrono::steady_clock::now();
  plan(*session.rewrite(graph, options));
  find_last_uses();
  compile_s_ =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
}

void OpByOp::plan(const ir::Graph& graph) {
  const auto new_slot = [&](const ir::Node* node, int output) {
    const Slot slot = constants_.size();
    constants_.emplace_back();
    slots_[{node, output}] = slot;
    return slot;
  };
  for (const Value& v : graph.inputs()) {
    inputs_.push_back(new_slot(v.node(), v.index()));
  }
  for (const auto& node : graph.nodes()) {
    if (ir::is_input(*node)) continue;
    for (size_t i = 0; i < node->types.size(); ++i) {
      new_slot(node.get(), static_cast<int>(i));
    }
    add_step(*node);
  }
  for (const Value& v : graph.outputs()) {
    outputs_.push_back(slots_.at({v.node(), v.index()}));
  }
  slots_.clear();
}

void OpByOp::add_step(const ir::Node& node) {
  Step step;
  step.program = &program_of(node);
  for (const Value& v : node.inputs) {
    step.inputs.push_back(slots_.at({v.node(), v.index()}));
  }
  for (size_t i = 0; i < node.types.size(); ++i) {
    step.outputs.push_back(slots_.at({&node, static_cast<int>(i)}));
  }
  if (!node.inputs.empty()) {
    steps_.push_back(std::move(step));
    infos_.push_back(info_of(node));
    return;
  }
  auto made = step.program->run({});
  for (size_t i = 0; i < made.size(); ++i) {
    constants_[step.outputs[i]] = std::move(made[i]);
  }
}

const Program& OpByOp::program_of(const ir::Node& node) {
  const auto graph = graph_of(node);
  // The text says all about a program but its types of inputs that are unread.
  std::string text = session_->emit(*graph, kAsItIs);
  for (const Value& v : graph->inputs()) text += v.type().str();
  auto& program = programs_[hash128(text)];
  if (!program) {
    program = std::make_unique<Program>(session_->compile(*graph, kAsItIs));
  }
  return *program;
}

void OpByOp::find_last_uses() {
  std::vector<bool> needed(constants_.size(), false);
  for (const Slot s : outputs_) needed[s] = true;
  for (const Slot s : inputs_) needed[s] = true;
  for (Slot s = 0; s < constants_.size(); ++s) {
    if (!constants_[s].empty()) needed[s] = true;
  }
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    const auto last_use = [&](Slot s) {
      if (needed[s]) return;
      needed[s] = true;
      step->dead_after.push_back(s);
    };
    for (const Slot s : step->inputs) last_use(s);
    for (const Slot s : step->outputs) last_use(s);  // never read at all
  }
}

std::vector<DeviceArray> OpByOp::run(
    std::span<const DeviceArray* const> args) const {
  return run(args, nullptr);
}

std::vector<double> OpByOp::time(
    std::span<const DeviceArray* const> args) const {
  std::vector<double> seconds;
  run(args, &seconds);
  return seconds;
}

std::vector<DeviceArray> OpByOp::run(std::span<const DeviceArray* const> args,
                                     std::vector<double>* seconds) const {
  if (args.size() != inputs_.size()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("graph has {} inputs, got {} arguments",
                            inputs_.size(),
                            args.size()));
  }
  std::vector<const DeviceArray*> values(constants_.size());
  for (Slot s = 0; s < values.size(); ++s) {
    if (!constants_[s].empty()) values[s] = &constants_[s];
  }
  for (size_t i = 0; i < args.size(); ++i) values[inputs_[i]] = args[i];
  std::vector<DeviceArray> made(constants_.size());
  std::vector<const DeviceArray*> inputs;
  for (const Step& step : steps_) {
    inputs.clear();
    for (const Slot s : step.inputs) inputs.push_back(values[s]);
    const auto begin = std::chrono::steady_clock::now();
    auto outputs = step.program->run(inputs);
    if (seconds != nullptr) {
      for (const auto& y : outputs) y.await();
      seconds->push_back(std::chrono::duration<double>(
                             std::chrono::steady_clock::now() - begin)
                             .count());
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      made[step.outputs[i]] = std::move(outputs[i]);
      values[step.outputs[i]] = &made[step.outputs[i]];
    }
    for (const Slot s : step.dead_after) made[s].reset();
  }
  std::vector<DeviceArray> out;
  out.reserve(outputs_.size());  // pointers to elements stay valid
  for (const Slot s : outputs_) {
    if (!made[s].empty()) {
      out.push_back(std::move(made[s]));
      values[s] = &out.back();
    } else {  // an argument, a constant, or an output for the second time
      out.push_back(session_->to_device(values[s]->to_host()));
    }
  }
  return out;
}

}  // namespace kexue::runtime
