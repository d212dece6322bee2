// The derivatives of a whole BERT against central differences in f64.
#include <gtest/gtest.h>

#include "kexue/losses/losses.h"
#include "kexue/models/bert.h"
#include "tests/support/check_grads.h"
#include "tests/support/tiny_bert.h"

namespace kexue {
namespace {

using testing::check_grads;
using testing::tiny_batch;
using testing::tiny_config;

// Binds `values` to `params` in the graph being traced. Not "bind": argument
// lookup would find std::bind.
void bind_values(const nn::ParamList& params, const Values& values) {
  for (size_t i = 0; i < params.size(); ++i) {
    ir::Tracing::current().bind(params[i].param.id(), values[i]);
  }
}

std::vector<HostArray> as_f64(const std::vector<HostArray>& arrays) {
  std::vector<HostArray> out;
  for (const auto& a : arrays) out.push_back(a.cast(DType::kF64));
  return out;
}

models::BertConfig small() {
  models::BertConfig c = tiny_config({"no", "yes"});
  c.hidden = 8;
  c.inner = 12;
  c.positions = 8;
  c.dropout = 0;
  c.attention_dropout = 0;
  return c;
}

transforms::Function bert_loss(models::Bert& model) {
  const auto params = model.parameters();
  const auto batch = tiny_batch(model.config(), 3, 8);
  return [&model, params, batch](const Values& values) {
    bind_values(params, values);
    const models::BertInputs in{ops::constant(batch.at("ids")),
                                ops::constant(batch.at("types")),
                                ops::constant(batch.at("mask"))};
    const Value logits = model.classify(in);
    return losses::cross_entropy(logits,
                                 ops::constant(batch.at("label")),
                                 ops::constant(batch.at("weight")));
  };
}

TEST(BertGradient, AgreesWithCentralDifferences) {
  models::Bert model({.config = small()});
  const auto x = as_f64(testing::random_values(model.parameters(), 3));
  EXPECT_TRUE(check_grads(bert_loss(model), x, 1));
}

TEST(BertGradient, RematerialisedLayersAgreeToo) {
  models::Bert model({.config = small(), .remat = true});
  const auto x = as_f64(testing::random_values(model.parameters(), 3));
  EXPECT_TRUE(check_grads(bert_loss(model), x, 1));
}

TEST(BertGradient, SecondDerivativeOfTheWholeLossAgrees) {
  models::BertConfig c = small();
  c.vocab = 11;
  c.layers = 1;
  models::Bert model({.config = c});
  const auto x = as_f64(testing::random_values(model.parameters(), 4));
  EXPECT_TRUE(check_grads(bert_loss(model), x, 2));
}

// Orders 1 and 2 of the block with respect to input and weights.
TEST(AttentionGradient, SecondDerivativeAgrees) {
  nn::MultiHeadAttention block({.dim = 6, .heads = 2});
  const auto params = nn::parameters(block);
  auto x = as_f64(testing::random_values(params, 6));
  x.push_back(
      testing::random_normal({DType::kF64, {2, 4, 6}}, Key::from_seed(9)));
  const HostArray mask = HostArray::from_doubles(
      {DType::kBool, {2, 4}}, std::vector<double>{1, 1, 1, 1, 1, 1, 0, 0});
  const auto f = [&](const Values& values) {
    bind_values(params, values);
    return testing::weighted_sum({block(values.back(), ops::constant(mask))});
  };
  EXPECT_TRUE(check_grads(f, x, 2));
}

// (x, v) -> H v by reverse over reverse, against differences of gradients.
TEST(AttentionGradient, HessianTimesVectorAgrees) {
  nn::MultiHeadAttention block({.dim = 4, .heads = 1});
  const auto params = nn::parameters(block);
  const auto weights = as_f64(testing::random_values(params, 7));
  const HostArray mask = HostArray::full({DType::kBool, {1, 3}}, 1);
  const auto f = [&](const Values& x) {
    Values bound;
    for (const auto& w : weights) bound.push_back(ops::constant(w));
    bind_values(params, bound);
    return testing::weighted_sum({block(x[0], ops::constant(mask))});
  };
  const TensorType type{DType::kF64, {1, 3, 4}};
  const HostArray x = testing::random_normal(type, Key::from_seed(1));
  const HostArray v = testing::random_normal(type, Key::from_seed(2));
  const auto gradient_at = [&](double step) {
    HostArray at = x.clone();
    for (size_t i = 0; i < 12; ++i) {
      at.mutable_span<double>()[i] += step * v.span<double>()[i];
    }
    return testing::evaluate_at(
        [&](const Values& in) { return transforms::grad(f)(in); }, {at})[0];
  };
  const HostArray hv = testing::evaluate_at(
      [&](const Values& in) { return transforms::hvp(f)({in[0]}, {in[1]}); },
      {x, v})[0];
  const HostArray up = gradient_at(1e-5);
  const HostArray down = gradient_at(-1e-5);
  double largest = 0;
  for (int64_t i = 0; i < 12; ++i) {
    const double slope = (up.at(i) - down.at(i)) / 2e-5;
    largest = std::max(largest, std::fabs(slope));
    EXPECT_NEAR(hv.at(i), slope, 1e-8);
  }
  EXPECT_GT(largest, 1e-3);
}

}  // namespace
}  // namespace kexue
