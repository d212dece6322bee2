#include "kexue/io/tf_checkpoint.h"

#include <gtest/gtest.h>

#include "kexue/io/weight_map.h"
#include "tests/io/made_values.h"
#include "tests/support/error_matchers.h"

namespace kexue::io {
namespace {

using testing::expect_made;
using testing::expect_made_transposed;
using testing::made_file;
using testing::tensor_named;

class Checkpoint : public ::testing::TestWithParam<Access> {
 protected:
  SourcePtr open(const std::string& name) const {
    return TfCheckpoint::open(made_file(name), GetParam());
  }
};

TEST_P(Checkpoint, EveryTypeFromTwoShards) {
  const auto file = open("types.ckpt");
  for (const std::string type :
       {"f32", "f16", "f64", "i8", "i16", "i32", "i64", "bool", "bf16"}) {
    expect_made(tensor_named(*file, "t/" + type), "t/" + type);
  }
  for (const std::string type : {"u8", "u16", "u32", "u64"}) {
    expect_made(tensor_named(*file, "t/" + type), "t/" + type, true);
  }
  const auto type = [&](const std::string& name) {
    return tensor_named(*file, name).type().str();
  };
  EXPECT_EQ(type("t/c64"), "c64[2,3]");
  EXPECT_EQ(tensor_named(*file, "t/c64").at(1),
            testing::made_value("t/c64", 1, DType::kF32));
  EXPECT_EQ(type("t/empty"), "f32[0,3]");
  EXPECT_EQ(type("t/scalar"), "f32[]");
  EXPECT_EQ(type("t/bf16"), "bf16[2,3]");
  EXPECT_EQ(type("t/u64"), "i64[2,3]");
  EXPECT_ERROR(tensor_named(*file, "t/text"),
               Code::kUnsupported,
               "tensor t/text: DT_STRING is not supported");
}

TEST_P(Checkpoint, PrefixIndexAndShardAreTheSameCheckpoint) {
  for (const char* end : {"", ".index", ".data-00000-of-00001"}) {
    const auto file = open(std::string("bert_model.ckpt") + end);
    EXPECT_EQ(file->tensors().size(), 32u);
    expect_made(tensor_named(*file, "bert/embeddings/word_embeddings"),
                "bert/embeddings/word_embeddings");
  }
}

TEST_P(Checkpoint, BertGetsHuggingFacesNames) {
  const SourcePtr file = open("bert_model.ckpt");
  ASSERT_EQ(default_weight_map(*file), "bert-tf");
  const auto hf = with_weight_names(file, "bert-tf");
  EXPECT_EQ(hf->tensors().size(), 30u);  // without adam_m and global_step
  const auto same = [&](const std::string& ours, const std::string& theirs) {
    expect_made(tensor_named(*hf, ours), theirs);
  };
  const auto turned = [&](const std::string& ours, const std::string& theirs) {
    expect_made_transposed(tensor_named(*hf, ours), theirs);
  };
  for (const std::string part :
       {"word_embeddings", "position_embeddings", "token_type_embeddings"}) {
    same("bert.embeddings." + part + ".weight", "bert/embeddings/" + part);
  }
  same("bert.embeddings.LayerNorm.weight", "bert/embeddings/LayerNorm/gamma");
  same("bert.embeddings.LayerNorm.bias", "bert/embeddings/LayerNorm/beta");
  const std::string ours = "bert.encoder.layer.0.";
  const std::string theirs = "bert/encoder/layer_0/";
  for (const std::string part : {"query", "key", "value"}) {
    turned(ours + "attention.self." + part + ".weight",
           theirs + "attention/self/" + part + "/kernel");
    same(ours + "attention.self." + part + ".bias",
         theirs + "attention/self/" + part + "/bias");
  }
  turned(ours + "attention.output.dense.weight",
         theirs + "attention/output/dense/kernel");
  same(ours + "attention.output.LayerNorm.weight",
       theirs + "attention/output/LayerNorm/gamma");
  turned(ours + "intermediate.dense.weight",
         theirs + "intermediate/dense/kernel");
  EXPECT_EQ(tensor_named(*hf, ours + "intermediate.dense.weight").shape(),
            (Shape{6, 4}));
  turned(ours + "output.dense.weight", theirs + "output/dense/kernel");
  same(ours + "output.LayerNorm.bias", theirs + "output/LayerNorm/beta");
  turned("bert.pooler.dense.weight", "bert/pooler/dense/kernel");
  same("cls.predictions.bias", "cls/predictions/output_bias");
  turned("cls.predictions.transform.dense.weight",
         "cls/predictions/transform/dense/kernel");
  same("cls.predictions.transform.LayerNorm.weight",
       "cls/predictions/transform/LayerNorm/gamma");
  same("cls.seq_relationship.weight", "cls/seq_relationship/output_weights");
  same("cls.seq_relationship.bias", "cls/seq_relationship/output_bias");
}

TEST_P(Checkpoint, SlicesAreRefused) {
  EXPECT_ERROR(open("sliced.ckpt"),
               Code::kUnsupported,
               "tensor v: a partitioned variable",
               "without a partitioner");
}

INSTANTIATE_TEST_SUITE_P(Access,
                         Checkpoint,
                         ::testing::Values(Access::kCopy, Access::kMap),
                         [](const auto& i) {
                           return i.param == Access::kMap ? "Map" : "Copy";
                         });

TEST(BertTfName, OtherModelsOfTheFamily) {
  const auto name = [](const char* tf) {
    return bert_tf_name(tf).value_or("-");
  };
  const std::string albert =
      "albert.encoder.albert_layer_groups.0.albert_layers.0.";
  const std::string group = "bert/encoder/transformer/group_0/inner_group_0/";
  const auto in_group = [&](const char* rest) {
    return name((group + rest).c_str());
  };
  EXPECT_EQ(in_group("attention_1/self/query/kernel"),
            albert + "attention.query.weight");
  EXPECT_EQ(in_group("attention_1/output/dense/bias"),
            albert + "attention.dense.bias");
  EXPECT_EQ(in_group("LayerNorm/gamma"), albert + "attention.LayerNorm.weight");
  EXPECT_EQ(in_group("LayerNorm_1/beta"),
            albert + "full_layer_layer_norm.bias");
  EXPECT_EQ(in_group("ffn_1/intermediate/dense/kernel"), albert + "ffn.weight");
  EXPECT_EQ(in_group("ffn_1/intermediate/output/dense/kernel"),
            albert + "ffn_output.weight");
  EXPECT_EQ(name("bert/encoder/embedding_hidden_mapping_in/kernel"),
            "bert.encoder.embedding_hidden_mapping_in.weight");
  EXPECT_EQ(name("electra/embeddings_project/kernel"),
            "electra.embeddings_project.weight");
  EXPECT_EQ(name("electra/encoder/layer_11/output/dense/kernel"),
            "electra.encoder.layer.11.output.dense.weight");
  EXPECT_EQ(name("discriminator_predictions/dense/kernel"),
            "discriminator_predictions.dense.weight");
  EXPECT_EQ(name("discriminator_predictions/dense_1/bias"),
            "discriminator_predictions.dense_prediction.bias");
  EXPECT_EQ(name("output_weights"), "classifier.weight");
  EXPECT_EQ(name("output_bias"), "classifier.bias");
  EXPECT_EQ(name("bert/pooler/dense/kernel/adam_v"), "-");
  EXPECT_EQ(name("global_step"), "-");
}

}  // namespace
}  // namespace kexue::io
