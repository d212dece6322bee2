#include "kexue/models/bert.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/ir/evaluate.h"
#include "kexue/ops/ops.h"
#include "tests/support/error_matchers.h"
#include "tests/support/tiny_bert.h"

namespace kexue::models {
namespace {

using testing::random_values;
using testing::tiny_batch;
using testing::tiny_config;

// f(model, batch) on the host evaluator; the last two rows of the batch differ
// from `ids` as the caller likes.
template <class F>
HostArray run(Bert& model, std::map<std::string, HostArray> batch, F f) {
  Graph g;
  const ir::Tracing tracing(g);
  nn::bind_inputs(g, model.parameters());
  auto args = random_values(model.parameters(), 8);
  const auto input = [&](const char* name) {
    args.push_back(batch.at(name));
    return g.input(batch.at(name).type(), name);
  };
  const BertInputs in{input("ids"), input("types"), input("mask")};
  g.set_outputs({f(in)});
  return ir::evaluate(g, args)[0];
}

TEST(Bert, ParametersAreListedInAFixedOrder) {
  BertConfig c = tiny_config({"a", "b"});
  c.pooler = true;
  Bert model({.config = c});
  std::vector<std::string> names;
  for (const auto& p : model.parameters()) names.push_back(p.name);
  ASSERT_EQ(names.size(), 25U);
  EXPECT_EQ(names.front(), "embeddings.word.weight");
  EXPECT_EQ(names[5], "encoder.attention.query.weight");
  EXPECT_EQ(names[21], "pooler.weight");
  EXPECT_EQ(names.back(), "classifier.bias");
}

TEST(Bert, HuggingFaceNamesFollowTheirLayout) {
  EXPECT_EQ(hugging_face_name("embeddings.word.weight", -1),
            "embeddings.word_embeddings.weight");
  EXPECT_EQ(hugging_face_name("encoder.attention_norm.bias", 3),
            "encoder.layer.3.attention.output.LayerNorm.bias");
  EXPECT_EQ(hugging_face_name("encoder.ffn.outer.weight", 0),
            "encoder.layer.0.output.dense.weight");
  EXPECT_ERROR(hugging_face_name("nonsense", -1), Code::kInternal, "nonsense");
}

TEST(Bert, EmbeddingsAreUnitVectors) {
  Bert model({.config = tiny_config()});
  for (const auto pooling : {Bert::Pooling::kCls, Bert::Pooling::kMean}) {
    const HostArray y =
        run(model, tiny_batch(model.config(), 3, 8), [&](const BertInputs& in) {
          return model.embed(in, pooling);
        });
    ASSERT_EQ(y.shape(), (Shape{3, 16}));
    for (int64_t r = 0; r < 3; ++r) {
      double squares = 0;
      for (int64_t k = 0; k < 16; ++k) squares += std::pow(y.at(r * 16 + k), 2);
      EXPECT_NEAR(squares, 1, 1e-5);
    }
  }
}

TEST(Bert, PaddingHasNoInfluence) {
  Bert model({.config = tiny_config({"a", "b"})});
  const auto batch = tiny_batch(model.config(), 3, 12);
  auto other = batch;
  HostArray ids = batch.at("ids").clone();
  for (int64_t i = 0; i < ids.size(); ++i) {
    if (batch.at("mask").at(i) == 0) {
      ids.mutable_span<int32_t>()[static_cast<size_t>(i)] = 41;
    }
  }
  other["ids"] = ids;
  const auto embed = [&](const BertInputs& in) {
    return model.embed(in, Bert::Pooling::kMean);
  };
  const auto classify = [&](const BertInputs& in) {
    return model.classify(in);
  };
  EXPECT_TRUE(run(model, batch, embed).identical(run(model, other, embed)));
  EXPECT_TRUE(
      run(model, batch, classify).identical(run(model, other, classify)));
}

TEST(Bert, RematerialisedModelGivesTheSameNumbers) {
  const BertConfig c = tiny_config({"a", "b"});
  Bert plain({.config = c});
  Bert remat({.config = c, .remat = true});
  const auto batch = tiny_batch(c, 3, 8);
  const auto logits = [&](Bert& m) {
    return run(m, batch, [&](const BertInputs& in) { return m.classify(in); });
  };
  EXPECT_TRUE(logits(plain).identical(logits(remat)));
}

TEST(Bert, SequenceBeyondThePositionTableNamesBoth) {
  Bert model({.config = tiny_config()});
  EXPECT_ERROR(run(model,
                   tiny_batch(model.config(), 1, 65),
                   [&](const BertInputs& in) { return model.encode(in); }),
               Code::kInvalidArgument,
               "sequence of 65 positions",
               "position table has 64");
}

// Each rule splits what it should, and nothing else is split.
TEST(Bert, ShardingIsMegatrons) {
  const Sharding by_output{{}, {"model"}};
  const Sharding by_input{{}, {}, {"model"}};
  const std::map<std::string, Sharding> split = {
      {"encoder.attention.query.weight", by_output},
      {"encoder.attention.query.bias", by_output},
      {"encoder.attention.key.weight", by_output},
      {"encoder.attention.key.bias", by_output},
      {"encoder.attention.value.weight", by_output},
      {"encoder.attention.value.bias", by_output},
      {"encoder.attention.output.weight", by_input},
      {"encoder.ffn.inner.weight", by_output},
      {"encoder.ffn.inner.bias", by_output},
      {"encoder.ffn.outer.weight", by_input}};
  BertConfig c = tiny_config({"no", "yes"});
  c.pooler = true;
  Bert model({.config = c});
  for (const bool vocabulary : {false, true}) {
    const auto rules = bert_sharding(vocabulary);
    size_t found = 0;
    for (const auto& p : model.parameters()) {
      Sharding want;
      if (split.contains(p.name)) want = split.at(p.name);
      if (vocabulary && p.name == "embeddings.word.weight") {
        want = Sharding{{"model"}};
      }
      EXPECT_EQ(nn::sharding_of(rules, p.name), want) << p.name;
      found += split.count(p.name);
    }
    EXPECT_EQ(found, split.size());
  }
}

TEST(Bert, ImpossibleSizesAreErrors) {
  BertConfig c = tiny_config();
  c.heads = 3;
  EXPECT_ERROR(Bert({.config = c}), Code::kInvalidArgument, "16", "3 heads");
  c = tiny_config();
  c.inner = 0;
  EXPECT_ERROR(Bert({.config = c}), Code::kInvalidArgument, "inner 0");
  EXPECT_ERROR(run(*std::make_unique<Bert>(Bert::Options{tiny_config()}),
                   tiny_batch(tiny_config(), 1, 4),
                   [](const BertInputs& in) {
                     const Bert other({.config = tiny_config()});
                     return other.classify(in);
                   }),
               Code::kInvalidArgument,
               "no classifier");
}

}  // namespace
}  // namespace kexue::models
