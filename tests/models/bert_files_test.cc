#include "kexue/models/bert_files.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "kexue/io/atomic_file.h"
#include "kexue/io/json.h"
#include "kexue/io/safetensors.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_bert.h"

namespace kexue::models {
namespace {

using testing::random_values;
using testing::TempFolder;
using testing::tiny_config;
using Tensors = std::vector<std::pair<std::string, HostArray>>;

std::vector<HostArray> values_of(const BertConfig& config, uint64_t seed = 1) {
  Bert model({.config = config});
  return random_values(model.parameters(), seed);
}

LoadedBert load(const std::string& folder,
                const std::vector<std::string>& new_labels = {}) {
  return load_bert(
      folder, {.new_labels = new_labels, .want_classifier = false, .key = {}});
}

// A saved model whose tensors went through `change`.
void write_changed(const std::string& folder,
                   const BertConfig& config,
                   const std::function<void(Tensors&)>& change) {
  const auto values = values_of(config);
  save_bert(folder, config, values);
  Tensors tensors = bert_tensors(config, values);
  change(tensors);
  io::save_safetensors(folder + "/model.safetensors", tensors);
}

void change_config(const std::string& folder,
                   const std::function<void(nlohmann::json&)>& change) {
  auto json = io::parse_json_file(folder + "/config.json");
  change(json);
  io::write_file(folder + "/config.json", json.dump());
}

void expect_same(const LoadedBert& got, const std::vector<HostArray>& want) {
  ASSERT_EQ(got.values.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_TRUE(got.values[i].identical(want[i])) << i;
  }
}

TEST(BertFiles, SavedModelReadsBackEqual) {
  BertConfig c = tiny_config({"neg", "pos"});
  c.pooler = true;
  c.eps = 1e-7;
  c.dropout = 0.25;
  c.activation_name = "gelu_new";
  c.activation = nn::Activation::kGeluTanh;
  const TempFolder temp;
  save_bert(temp.path(), c, values_of(c));
  const LoadedBert got = load(temp.path());
  expect_same(got, values_of(c));
  EXPECT_EQ(got.config.labels, c.labels);
  EXPECT_TRUE(got.config.pooler);
  EXPECT_EQ(got.config.eps, c.eps);
  EXPECT_EQ(got.config.dropout, c.dropout);
  EXPECT_EQ(got.config.activation, c.activation);
  EXPECT_EQ(got.config.layers, c.layers);
  EXPECT_TRUE(got.fresh.empty());
  EXPECT_TRUE(got.unexpected.empty());
}

TEST(BertFiles, PrefixBertIsOptional) {
  const TempFolder temp;
  const BertConfig c = tiny_config();
  write_changed(temp.path(), c, [](Tensors& tensors) {
    for (auto& [name, _] : tensors) {
      ASSERT_TRUE(name.starts_with("bert.")) << name;
      name = name.substr(5);
    }
  });
  expect_same(load(temp.path()), values_of(c));
}

TEST(BertFiles, GammaAndBetaAreTheOldNamesOfANorm) {
  const TempFolder temp;
  const BertConfig c = tiny_config();
  write_changed(temp.path(), c, [](Tensors& tensors) {
    for (auto& [name, _] : tensors) {
      const size_t at = name.find("LayerNorm.");
      if (at == std::string::npos) continue;
      const bool gain = name.ends_with("weight");
      name = name.substr(0, at + 10) + (gain ? "gamma" : "beta");
    }
  });
  expect_same(load(temp.path()), values_of(c));
}

TEST(BertFiles, HalfWeightsBecomeF32) {
  const TempFolder temp;
  const BertConfig c = tiny_config();
  write_changed(temp.path(), c, [](Tensors& tensors) {
    for (auto& [_, array] : tensors) array = array.cast(DType::kF16);
  });
  const LoadedBert got = load(temp.path());
  const auto want = values_of(c);
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_TRUE(
        got.values[i].identical(want[i].cast(DType::kF16).cast(DType::kF32)));
  }
}

TEST(BertFiles, MissingTensorIsNamedInBothForms) {
  const TempFolder temp;
  write_changed(temp.path(), tiny_config(), [](Tensors& tensors) {
    std::erase_if(tensors, [](const auto& t) {
      return t.first == "bert.encoder.layer.1.output.dense.bias";
    });
  });
  EXPECT_ERROR(load(temp.path()),
               Code::kNotFound,
               "no tensor \"encoder.layer.1.output.dense.bias\"",
               "bert.encoder.layer.1.output.dense.bias",
               "hint:");
}

TEST(BertFiles, WrongShapeShowsExpectedAndFound) {
  const TempFolder temp;
  write_changed(temp.path(), tiny_config(), [](Tensors& tensors) {
    for (auto& [name, array] : tensors) {
      if (name.ends_with("layer.1.intermediate.dense.weight")) {
        array = HostArray(DType::kF32, {16, 24});
      }
    }
  });
  EXPECT_ERROR(load(temp.path()),
               Code::kCorruptData,
               "\"bert.encoder.layer.1.intermediate.dense.weight\"",
               "must be f32[24,16], found f32[16,24]",
               "do not belong together");
}

TEST(BertFiles, IntegerWeightsAreRefused) {
  const TempFolder temp;
  write_changed(temp.path(), tiny_config(), [](Tensors& tensors) {
    tensors[0].second = HostArray(DType::kI32, tensors[0].second.shape());
  });
  EXPECT_ERROR(load(temp.path()),
               Code::kCorruptData,
               "word_embeddings.weight",
               "found i32[57,16]");
}

TEST(BertFiles, TruncatedWeightsAreCorrupt) {
  const TempFolder temp;
  const BertConfig c = tiny_config();
  save_bert(temp.path(), c, values_of(c));
  const std::string path = temp / "model.safetensors";
  const std::string bytes = io::read_file(path, 1 << 24);
  io::write_file(path, bytes.substr(0, bytes.size() - 100));
  EXPECT_ERROR(load(temp.path()), Code::kCorruptData, "model.safetensors");
}

TEST(BertFiles, MissingFilesAreNamed) {
  const TempFolder temp;
  EXPECT_ERROR(load(temp.path()), Code::kNotFound, "config.json");
  const BertConfig c = tiny_config();
  save_bert(temp.path(), c, values_of(c));
  io::real_fs().unlink(temp / "model.safetensors");
  EXPECT_ERROR(load(temp.path()), Code::kNotFound, "model.safetensors");
}

TEST(BertFiles, NewLabelsGetAFreshClassifierWithoutPooler) {
  const TempFolder temp;
  BertConfig c = tiny_config({"a"});
  c.pooler = true;
  save_bert(temp.path(), c, values_of(c));
  const LoadedBert got = load(temp.path(), {"x", "y", "z"});
  EXPECT_EQ(got.config.labels, (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_FALSE(got.config.pooler);
  EXPECT_EQ(got.fresh,
            (std::vector<std::string>{"classifier.weight", "classifier.bias"}));
  EXPECT_EQ(got.values.back().shape(), (Shape{3}));
  EXPECT_EQ(got.unexpected.size(), 4U);  // the old head and its pooler
}

TEST(BertFiles, WantedClassifierMustBeThere) {
  const TempFolder temp;
  const BertConfig c = tiny_config();
  save_bert(temp.path(), c, values_of(c));
  EXPECT_ERROR(
      load_bert(temp.path(),
                {.new_labels = {}, .want_classifier = true, .key = {}}),
      Code::kNotFound,
      "no classifier");
}

TEST(BertConfig, BadValuesNameFileAndKey) {
  const auto with = [](const std::function<void(nlohmann::json&)>& change) {
    const TempFolder temp;
    const BertConfig c = tiny_config();
    save_bert(temp.path(), c, values_of(c));
    change_config(temp.path(), change);
    read_bert_config(temp.path());
  };
  EXPECT_ERROR(with([](auto& j) { j.erase("hidden_size"); }),
               Code::kCorruptData,
               "config.json: \"hidden_size\" is missing");
  EXPECT_ERROR(with([](auto& j) { j["vocab_size"] = -1; }),
               Code::kCorruptData,
               "\"vocab_size\" must be an integer in 1..",
               "got -1");
  EXPECT_ERROR(with([](auto& j) { j["num_hidden_layers"] = 1e9; }),
               Code::kCorruptData,
               "num_hidden_layers");
  EXPECT_ERROR(with([](auto& j) { j["layer_norm_eps"] = "x"; }),
               Code::kCorruptData,
               "layer_norm_eps");
  EXPECT_ERROR(with([](auto& j) { j["hidden_act"] = "swish"; }),
               Code::kUnsupported,
               "swish");
  EXPECT_ERROR(with([](auto& j) { j["model_type"] = "gpt2"; }),
               Code::kUnsupported,
               "model_type \"gpt2\"");
  EXPECT_ERROR(
      with([](auto& j) { j["position_embedding_type"] = "relative_key"; }),
      Code::kUnsupported,
      "relative_key");
  EXPECT_ERROR(with([](auto& j) { j = nlohmann::json::array(); }),
               Code::kCorruptData,
               "must be a JSON object");
}

}  // namespace
}  // namespace kexue::models
