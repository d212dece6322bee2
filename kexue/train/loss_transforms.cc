#include "kexue/train/loss_transforms.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/losses/losses.h"

namespace kexue::train {
namespace {

nn::Param find_table(const nn::ParamList& params, const std::string& part) {
  std::string names;
  nn::Param found;
  int count = 0;
  for (const auto& p : params) {
    if (part.empty() || p.name.find(part) == std::string::npos) continue;
    found = p.param;
    if (++count <= 8) names += (names.empty() ? "" : ", ") + p.name;
  }
  if (count == 1) return found;
  throw Error(
      Code::kInvalidArgument,
      fmt::format("{} parameters have \"{}\" in their names: wants one{}{}",
                  count,
                  part.substr(0, 64),
                  count == 0 ? "" : ", has ",
                  names),
      "a part of the name of one table, as in \"embeddings.word\"");
}

// The loss with `table` standing for x; keeps the first result's metrics.
class Pass final {
 public:
  Pass(const LossFunction& loss, const BatchValues& batch, nn::Param table)
      : loss_(loss), batch_(batch), table_(std::move(table)) {}

  Value operator()(const Value& x) {
    ir::Graph& graph = ir::Tracing::current();
    const Value own = table_();
    graph.bind(table_.id(), x);
    LossResult result = loss_(batch_);
    graph.bind(table_.id(), own);
    if (!first_) first_ = result;
    return result.loss;
  }
  const LossResult& first() const { return *first_; }

 private:
  const LossFunction& loss_;
  const BatchValues& batch_;
  nn::Param table_;
  std::optional<LossResult> first_;
};

}  // namespace

void check(const LossTransform& t) {
  for (const double size : {t.fgm, t.gradient_penalty}) {
    if (size >= 0 && std::isfinite(size)) continue;
    throw Error(Code::kInvalidArgument,
                fmt::format("fgm and gradient_penalty must be at least 0, got "
                            "{}",
                            size));
  }
}

LossFunction transformed(LossFunction loss,
                         const nn::ParamList& params,
                         const LossTransform& t) {
  check(t);
  if (!t.active()) return loss;
  const nn::Param table = find_table(params, t.table);
  return [loss = std::move(loss), table, t](const BatchValues& batch) {
    Pass pass(loss, batch, table);
    const Value own = table();
    const auto penalised = [&](const Value& x) {
      const Value l = pass(x);
      if (t.gradient_penalty == 0) return l;
      return losses::gradient_penalty(
          l,
          x,
          {.reduction = losses::GradientPenalty::Reduction::kBatchMean,
           .weight = t.gradient_penalty});
    };
    LossResult out;
    out.loss = t.fgm > 0 ? losses::fgm(penalised,
                                       own,
                                       {.step = {.size = t.fgm},
                                        .add_clean = t.fgm_add_clean})
                         : penalised(own);
    out.metrics = pass.first().metrics;
    return out;
  };
}

}  // namespace kexue::train
