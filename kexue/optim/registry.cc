#include "kexue/optim/registry.h"

#include <fmt/format.h>

#include "kexue/base/error.h"
#include "kexue/optim/optim.h"

namespace kexue::optim {
namespace {

template <class T, class... Args>
std::shared_ptr<const T> shared(Args&&... args) {
  return std::make_shared<const T>(std::forward<Args>(args)...);
}

DecayOptions decay_options(OptionReader& r, double weight_decay) {
  DecayOptions o{.weight_decay = weight_decay};
  r("weight_decay", o.weight_decay);
  r("no_decay", o.no_decay);
  return o;
}

void read_adam(OptionReader& r, AdamOptions& o) {
  r("beta1", o.beta1);
  r("beta2", o.beta2);
  r("eps", o.eps);
  r("bias_correction", o.bias_correction);
}

// In one pass over memory.
OptimizerPtr fused_adam(const AdamOptions& o, const DecayOptions& d) {
  return shared<AdamW>(AdamWOptions{.beta1 = o.beta1,
                                    .beta2 = o.beta2,
                                    .eps = o.eps,
                                    .weight_decay = d.weight_decay,
                                    .bias_correction = o.bias_correction,
                                    .no_decay = d.no_decay,
                                    .eps_hat = o.eps_hat});
}

OptimizerPtr adam(OptionReader& r) {
  AdamOptions o;
  read_adam(r, o);
  r("eps_hat", o.eps_hat);
  OptimizerPtr inner = shared<Adam>(o);
  if (o.beta1 > 0) inner = fused_adam(o, {.weight_decay = 0});
  return shared<GradientDecay>(inner, decay_options(r, 0));
}

OptimizerPtr adamw(OptionReader& r) {
  std::string form = "pytorch";
  r("form", form);
  AdamOptions o;
  if (form == "google") {
    o.eps = 1e-6;
    o.bias_correction = false;
  } else if (form == "keras") {
    o.eps = 1e-7;
    o.eps_hat = true;
  } else if (form != "pytorch" && form != "bert4keras") {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}optimizer.form must be pytorch, google, keras "
                            "or bert4keras, got \"{}\"",
                            r.where("form"),
                            form));
  }
  if (form == "bert4keras") o.eps = 1e-6;
  read_adam(r, o);
  r("eps_hat", o.eps_hat);
  return fused_adam(o, decay_options(r, 0.01));
}

OptimizerPtr sgd(OptionReader& r) {
  SgdOptions o;
  r("momentum", o.momentum);
  r("nesterov", o.nesterov);
  return shared<GradientDecay>(shared<Sgd>(o), decay_options(r, 0));
}

OptimizerPtr rmsprop(OptionReader& r) {
  RmsPropOptions o;
  r("alpha", o.alpha);
  r("eps", o.eps);
  r("momentum", o.momentum);
  r("centered", o.centered);
  return shared<GradientDecay>(shared<RmsProp>(o), decay_options(r, 0));
}

OptimizerPtr adagrad(OptionReader& r) {
  AdaGradOptions o;
  r("eps", o.eps);
  r("start", o.start);
  return shared<GradientDecay>(shared<AdaGrad>(o), decay_options(r, 0));
}

OptimizerPtr adafactor_of(OptionReader& r, AdaFactorOptions o) {
  r("beta1", o.beta1);
  r("rate_power", o.rate_power);
  r("eps1", o.eps1);
  r("eps2", o.eps2);
  r("clip", o.clip);
  r("scale_parameter", o.scale_parameter);
  r("min_factor", o.min_factor);
  return shared<DecoupledDecay>(shared<AdaFactor>(o), decay_options(r, 0));
}

OptimizerPtr adafactor(OptionReader& r) {
  return adafactor_of(r, {});
}

OptimizerPtr adafactor_v1(OptionReader& r) {
  return adafactor_of(r, {.relative_step = true});
}

OptimizerPtr lamb(OptionReader& r) {
  AdamOptions o{.eps = 1e-6};
  read_adam(r, o);
  const DecayOptions d = decay_options(r, 0.01);
  return shared<LayerAdaptation>(shared<DecoupledDecay>(shared<Adam>(o), d),
                                 d.no_decay);
}

OptimizerPtr lars(OptionReader& r) {
  LarsOptions o;
  r("momentum", o.momentum);
  r("trust", o.trust);
  const DecayOptions d = decay_options(r, o.weight_decay);
  o.weight_decay = d.weight_decay;
  o.excluded = d.no_decay;
  return shared<Lars>(o);
}

OptimizerPtr lion(OptionReader& r) {
  LionOptions o;
  r("beta1", o.beta1);
  r("beta2", o.beta2);
  return shared<DecoupledDecay>(shared<Lion>(o), decay_options(r, 0.01));
}

OptimizerPtr tiger(OptionReader& r) {
  TigerOptions o;
  r("beta", o.beta);
  r("weight_decay", o.weight_decay);
  r("no_decay", o.small);
  r("rows", o.rows);
  return shared<Tiger>(o);
}

OptimizerPtr adan(OptionReader& r) {
  AdanOptions o;
  r("beta1", o.beta1);
  r("beta2", o.beta2);
  r("beta3", o.beta3);
  r("eps", o.eps);
  return shared<ProximalDecay>(shared<Adan>(o), decay_options(r, 0.01));
}

OptimizerPtr muon(OptionReader& r) {
  MuonOptions o;
  r("momentum", o.momentum);
  r("nesterov", o.nesterov);
  r("steps", o.steps);
  std::string scale = "match_rms";
  r("scale", scale);
  if (scale == "original") {
    o.scale = MuonOptions::Scale::kOriginal;
  } else if (scale != "match_rms") {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}optimizer.scale must be original or match_rms, "
                            "got \"{}\"",
                            r.where("scale"),
                            scale));
  }
  AdamWOptions rest;
  r("beta1", rest.beta1);
  r("beta2", rest.beta2);
  r("eps", rest.eps);
  NameList others = {"embeddings", "classifier", "head"};
  r("adamw_for", others);
  const DecayOptions d = decay_options(r, 0.01);
  rest.weight_decay = d.weight_decay;
  rest.no_decay = d.no_decay;
  const auto matrices = shared<DecoupledDecay>(shared<Muon>(o), d);
  const auto adamw = shared<AdamW>(rest);
  return shared<Choice>(
      [matrices, adamw, others](const Target& t) -> const Optimizer& {
        if (hidden_matrix(t, others)) return *matrices;
        return *adamw;
      });
}

OptimizerPtr schedule_free_adamw(OptionReader& r) {
  ScheduleFreeOptions o;
  r("beta1", o.beta);
  r("power", o.power);
  AdamOptions adam{.beta1 = 0};
  r("beta2", adam.beta2);
  r("eps", adam.eps);
  return shared<ScheduleFree>(
      shared<DecoupledDecay>(shared<Adam>(adam), decay_options(r, 0.01)), o);
}

struct Row {
  const char* name;
  const char* summary;
  OptimizerPtr (*build)(OptionReader&);
};
constexpr Row kRows[] = {
    {"adafactor",
     "second moments as rows and columns, rate from lr",
     adafactor},
    {"adafactor_v1",
     "the same with the paper's own falling rate",
     adafactor_v1},
    {"adagrad", "rates by the sum of squared gradients", adagrad},
    {"adam", "moments of first and second order; decay in g", adam},
    {"adamw", "Adam with decoupled decay; one pass over memory", adamw},
    {"adan", "Nesterov momentum by differences of gradients", adan},
    {"lamb", "AdamW with a rate for each layer by norms", lamb},
    {"lars", "momentum with a rate for each layer by norms", lars},
    {"lion", "signs of interpolated momentum", lion},
    {"muon", "orthogonal updates of hidden matrices, AdamW elsewhere", muon},
    {"rmsprop", "rates by running squares of gradients", rmsprop},
    {"schedule_free_adamw",
     "AdamW that averages its path",
     schedule_free_adamw},
    {"sgd", "gradient descent, with momentum if asked for", sgd},
    {"tiger", "signs of momentum, sized by the weights", tiger},
};

OptimizerPtr build(const Row& row, OptionReader& r) {
  OptimizerPtr out = row.build(r);
  LookaheadOptions lookahead{.steps = 0};
  r("lookahead", lookahead.steps);
  r("lookahead_rate", lookahead.rate);
  double ema = 0;
  r("ema", ema);
  NameList tables;
  r("lazy_rows", tables);
  NumberTable rates;
  r("rates", rates);
  r.refuse_others();
  if (!rates.empty()) out = shared<Rates>(out, rates);
  if (!tables.empty()) out = shared<LazyRows>(out, tables);
  if (lookahead.steps != 0) out = shared<Lookahead>(out, lookahead);
  if (ema != 0) out = shared<MovingAverage>(out, ema);
  return out;
}

}  // namespace

std::vector<RuleInfo> rules() {
  std::vector<RuleInfo> out;
  for (const Row& row : kRows) {
    OptionReader reader(row.name, {});
    build(row, reader);
    out.push_back({row.name, row.summary, reader.known()});
  }
  return out;
}

OptimizerPtr make(const std::string& name, const OptionList& options) {
  std::string names;
  for (const Row& row : kRows) {
    if (name == row.name) {
      OptionReader reader(name, options);
      return build(row, reader);
    }
    names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
  }
  throw Error(Code::kInvalidArgument,
              fmt::format("unknown optimizer \"{}\"", name.substr(0, 64)),
              "one of " + names);
}

}  // namespace kexue::optim
