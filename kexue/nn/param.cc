#include "kexue/nn/param.h"

#include "kexue/base/error.h"

namespace kexue::nn {

Param::Param(Shape shape, Init init, int64_t stack)
    : state_(std::make_shared<State>(
          State{{DType::kF32, std::move(shape)}, init, stack})) {}

Value Param::operator()() const {
  if (!state_) {
    throw Error(Code::kInvalidArgument, "use of an empty parameter")
        .with_scope(Scope::path());
  }
  const Value v = ir::Tracing::current().find(id());
  if (!v) {
    throw Error(Code::kInvalidArgument,
                "a parameter " + type().str() + " is not bound in this trace",
                "list it in the module's visit(), so that it gets an input")
        .with_scope(Scope::path());
  }
  return v;
}

HostArray Param::initial(Key key) const {
  HostArray a(type());
  auto out = a.mutable_span<float>();
  Random random(key);
  for (float& x : out) {
    switch (init().kind) {
      case Init::Kind::kZeros:
        x = 0;
        break;
      case Init::Kind::kOnes:
        x = 1;
        break;
      case Init::Kind::kNormal:
        x = static_cast<float>(random.normal() *
                               static_cast<double>(init().stddev));
        break;
      case Init::Kind::kTruncatedNormal:
        x = static_cast<float>(
            random.truncated_normal(static_cast<double>(init().stddev)));
        break;
    }
  }
  return a;
}

void ParamCollector::operator()(std::string_view name, Param& param) {
  for (const auto& known : list_) {
    if (known.param.id() == param.id()) return;  // tied
  }
  list_.push_back({prefix_ + std::string(name), param});
}

Values bind_inputs(ir::Graph& graph, const ParamList& params) {
  Values out;
  for (const auto& p : params) {
    out.push_back(graph.input(p.param.type(), p.name));
    graph.bind(p.param.id(), out.back());
  }
  return out;
}

std::vector<HostArray> initial_values(const ParamList& params, Key key) {
  std::vector<HostArray> out;
  for (size_t i = 0; i < params.size(); ++i) {
    out.push_back(params[i].param.initial(key.fold_in(i)));
  }
  return out;
}

Sharding sharding_of(const ShardingRules& rules, const std::string& name) {
  for (const auto& rule : rules) {
    if (name.find(rule.part) != std::string::npos) return rule.sharding;
  }
  return {};
}

}  // namespace kexue::nn
