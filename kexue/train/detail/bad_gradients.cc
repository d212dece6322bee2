#include "kexue/train/detail/bad_gradients.h"

#include "kexue/ops/ops.h"
#include "kexue/transforms/grad.h"

namespace kexue::train::detail {

std::string first_bad_gradient(Engine& engine,
                               const nn::ParamList& params,
                               const LossFunction& loss,
                               const HostBatch& batch) {
  const auto finite = [&](const BatchValues& fields) -> Values {
    const LossResult result = loss(fields);
    Values xs;
    for (const auto& p : params) xs.push_back(p.param());
    Values checked = transforms::gradients(result.loss, xs);
    checked.insert(checked.begin(), result.loss);
    Values flags;
    for (const Value& v : checked) {
      const Value sum = ops::convert(ops::sum(ops::abs(v)), DType::kF32);
      flags.push_back(ops::reshape(sum, {1}));
    }
    return {
        ops::convert(ops::is_finite(ops::concatenate(flags, 0)), DType::kF32)};
  };
  const HostArray flags = engine.forward("finite", finite, batch).at(0);
  if (flags.at(0) == 0) return "the loss";
  for (size_t i = 0; i < params.size(); ++i) {
    if (flags.at(static_cast<int64_t>(i) + 1) == 0) return params[i].name;
  }
  return "";
}

}  // namespace kexue::train::detail
