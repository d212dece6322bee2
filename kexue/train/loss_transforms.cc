#include "kexue/train/loss_transforms.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/ir/graph.h"
#include "kexue/losses/losses.h"
#include "kexue/nn/layers.h"
#include "kexue/ops/ops.h"

namespace kexue::train {
namespace {

constexpr int64_t kMaxIterations = 16;

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

// One batch's loss, traced as often as the transforms want it. The values that
// stand for the table are empty if there is none.
class Passes final {
 public:
  Passes(const LossFunction& loss,
         const BatchValues& batch,
         const std::optional<nn::Param>& table,
         const LossTransform& t)
      : loss_(loss),
        batch_(batch),
        table_(table),
        t_(t),
        own_(table ? (*table)() : Value{}) {}

  LossResult result() {
    LossResult out;
    out.loss = t_.fgm > 0
                   ? losses::fgm([this](const Value& x) { return value(x); },
                                 own_,
                                 {.step = {.size = t_.fgm},
                                  .add_clean = t_.fgm_add_clean})
                   : value(own_);
    if (t_.vat > 0) out.loss = out.loss + vat() * t_.vat;
    out.metrics = first_->metrics;
    out.logits = first_->logits;
    out.weights = first_->weights;
    return out;
  }

 private:
  // The task's loss with the table standing for x.
  LossResult pass(const Value& x) {
    ir::Graph& graph = ir::Tracing::current();
    if (table_) graph.bind(table_->id(), x);
    LossResult result = loss_(batch_);
    if (table_) graph.bind(table_->id(), own_);
    if (t_.compares() && !(result.logits && result.weights)) {
      throw Error(Code::kInvalidArgument,
                  "r_drop and vat compare logits, and this loss has none");
    }
    if (!first_) first_ = result;
    return result;
  }

  // What is to be small at x.
  Value value(const Value& x) {
    const LossResult a = pass(x);
    Value loss = a.loss;
    if (t_.r_drop > 0) {
      const LossResult b = pass(x);
      const Value kl = losses::symmetric_kl(a.logits, b.logits, a.weights);
      loss = (a.loss + b.loss) * 0.5 +
             ops::convert(kl, loss.dtype()) * (t_.r_drop / 4);
    }
    if (t_.gradient_penalty == 0) return loss;
    return losses::gradient_penalty(
        loss,
        x,
        {.reduction = losses::GradientPenalty::Reduction::kBatchMean,
         .weight = t_.gradient_penalty});
  }

  Value vat() {
    Value key = nn::RandomScope::next_key();
    if (!key) key = ops::constant(HostArray(DType::kU32, {2}));
    const Value kl = losses::vat(
        // The clean prediction is there already.
        [this](const Value& x) {
          return x == own_ ? first_->logits : pass(x).logits;
        },
        own_,
        key,
        {.step = {.size = t_.vat_size},
         .xi = t_.vat_xi,
         .iterations = static_cast<int>(t_.vat_iterations),
         .weights = first_->weights});
    return ops::convert(kl, first_->loss.dtype());
  }

  const LossFunction& loss_;
  const BatchValues& batch_;
  const std::optional<nn::Param>& table_;
  const LossTransform& t_;
  const Value own_;
  std::optional<LossResult> first_;
};

}  // namespace

void check(const LossTransform& t) {
  const auto want = [](bool good, const char* what, double got) {
    if (good && std::isfinite(got)) return;
    throw Error(Code::kInvalidArgument, fmt::format("{}, got {}", what, got));
  };
  want(t.fgm >= 0, "fgm must be at least 0", t.fgm);
  want(t.gradient_penalty >= 0,
       "gradient_penalty must be at least 0",
       t.gradient_penalty);
  want(t.r_drop >= 0, "r_drop must be at least 0", t.r_drop);
  want(t.vat >= 0, "vat must be at least 0", t.vat);
  want(t.vat_size >= 0, "vat_size must be at least 0", t.vat_size);
  want(t.vat_xi > 0, "vat_xi must be above 0", t.vat_xi);
  if (t.vat_iterations < 1 || t.vat_iterations > kMaxIterations) {
    throw Error(Code::kInvalidArgument,
                fmt::format("vat_iterations must be in 1..{}, got {}",
                            kMaxIterations,
                            t.vat_iterations));
  }
}

LossFunction transformed(LossFunction loss,
                         const nn::ParamList& params,
                         const LossTransform& t) {
  check(t);
  if (!t.active()) return loss;
  std::optional<nn::Param> table;
  if (t.moves_table()) table = find_table(params, t.table);
  return [loss = std::move(loss), table, t](const BatchValues& batch) {
    return Passes(loss, batch, table, t).result();
  };
}

}  // namespace kexue::train
