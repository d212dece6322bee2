#include "kexue/runtime/jit.h"

namespace kexue::runtime {

std::unique_ptr<ir::Graph> trace(const std::function<Values(const Values&)>& f,
                                 const std::vector<TensorType>& types) {
  auto graph = std::make_unique<ir::Graph>();
  const ir::Tracing tracing(*graph);
  Values args;
  for (const auto& t : types) args.push_back(graph->input(t));
  graph->set_outputs(f(args));
  return graph;
}

Jit::Jit(const Session& session,
         std::function<Values(const Values&)> f,
         CompileOptions options)
    : session_(&session), f_(std::move(f)), options_(std::move(options)) {}

const Program& Jit::program(const std::vector<TensorType>& types) {
  std::string key;
  for (const auto& t : types) key += t.str() + ";";
  auto& slot = programs_[key];
  if (!slot) {
    const auto graph = trace(f_, types);
    slot = std::make_unique<Program>(session_->compile(*graph, options_));
  }
  return *slot;
}

std::vector<HostArray> Jit::operator()(const std::vector<HostArray>& args) {
  std::vector<TensorType> types;
  for (const auto& a : args) types.push_back(a.type());
  return session_->run(program(types), args);
}

}  // namespace kexue::runtime
