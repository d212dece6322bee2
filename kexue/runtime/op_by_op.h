// A graph run as eager frameworks do: each op a program of its own.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kexue/runtime/session.h"

namespace kexue::runtime {

// What the compiler gains by seeing a whole graph is measured against this:
// the same rewrites and kernels as Session::compile, then one program per op
// and no fusion between them. Equal ops share a program; constants are made
// once, values are freed after their last use. Donation does not apply.
class OpByOp final {
 public:
  // Compiles everything; the session must outlive it.
  // Errors: as Session::compile.
  OpByOp(const Session& session,
         const ir::Graph& graph,
         const CompileOptions& options = {});

  // Inputs and outputs are those of the graph, in order.
  // Errors: kInvalidArgument for another number of inputs; kDevice.
  std::vector<DeviceArray> run(std::span<const DeviceArray* const> args) const;

  // What each op of a run is, in the order they run.
  struct Info {
    std::string op;
    std::string scope;
    double flops = 0;  // of products, see ir/flops.h
    double bytes = 0;  // inputs and outputs
  };
  const std::vector<Info>& infos() const { return infos_; }
  // Seconds of each op of one run, waiting for each to end.
  std::vector<double> time(std::span<const DeviceArray* const> args) const;

  size_t ops() const { return steps_.size(); }  // run each time
  size_t programs() const { return programs_.size(); }
  double compile_s() const { return compile_s_; }

 private:
  using Slot = size_t;  // of a value while the graph runs
  struct Step {
    const Program* program = nullptr;
    std::vector<Slot> inputs;
    std::vector<Slot> outputs;
    std::vector<Slot> dead_after;
  };
  std::vector<DeviceArray> run(std::span<const DeviceArray* const> args,
                               std::vector<double>* seconds) const;
  void plan(const ir::Graph& graph);
  void add_step(const ir::Node& node);
  const Program& program_of(const ir::Node& node);
  void find_last_uses();

  const Session* session_;
  std::map<std::string, std::unique_ptr<Program>> programs_;
  std::map<std::pair<const ir::Node*, int>, Slot> slots_;  // while planning
  std::vector<DeviceArray> constants_;                     // by slot
  std::vector<Slot> inputs_;
  std::vector<Slot> outputs_;
  std::vector<Step> steps_;
  std::vector<Info> infos_;  // of steps_
  double compile_s_ = 0;
};

}  // namespace kexue::runtime
