#include "kexue/train/run_step.h"

#include "kexue/train/detail/gradient_groups.h"

namespace kexue::train {
namespace {

EngineOptions engine_options(const RunConfig& c,
                             const UpdatePlan& plan,
                             const nn::ParamList& params) {
  EngineOptions o;
  o.compute = precision_from_name(c.precision);
  o.step.clip = plan.clip;
  o.step.schedule = plan.schedule;
  o.step.seed = c.seed;
  o.step.accumulate = c.accumulate;
  o.step.parallel = parallel_of(c);
  o.step.groups = detail::gradient_groups(params);
  o.step.group_metrics = c.group_metrics;
  if (o.compute == DType::kF16 || c.force_loss_scale) {
    o.step.loss_scale = loss_scale_from_name(c.loss_scale);
    o.step.loss_scale.unscale = c.unscale;
  }
  return o;
}

}  // namespace

RunStep run_step(const RunConfig& config, Task& task) {
  RunStep s;
  s.params = task.parameters();
  s.plan = make_optimizer(config);
  s.options = engine_options(config, s.plan, s.params);
  s.loss = transformed([&task](const BatchValues& b) { return task.loss(b); },
                       s.params,
                       s.plan.loss);
  return s;
}

}  // namespace kexue::train
