// Embeddings and logits of published models against reference values.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "kexue/io/json.h"
#include "kexue/train/inference.h"
#include "tests/support/data_files.h"
#include "tests/support/error_matchers.h"
#include "tests/support/session_fixture.h"

namespace kexue::train {
namespace {

using models::Bert;
using testing::data_path;
using testing::golden_path;

class InferenceGolden : public testing::SessionTest {
 protected:
  void check_embeddings(const std::string& model,
                        const std::string& golden,
                        Bert::Pooling pooling) {
    KEXUE_SKIP_WITHOUT(data_path(model) + "/model.safetensors");
    const auto want = io::parse_json_file(golden_path(golden));
    std::vector<std::string> texts;
    for (const auto& item : want["items"]) {
      texts.push_back(item["text"].get<std::string>());
    }
    for (const DType compute : {DType::kF32, DType::kBF16}) {
      Inference inference(
          session(), data_path(model), {.compute = compute}, Head::kNone);
      const auto got = inference.embed(texts, pooling);
      ASSERT_EQ(got.size(), texts.size());
      for (size_t i = 0; i < got.size(); ++i) {
        const auto& row = want["items"][i]["embedding"];
        ASSERT_EQ(got[i].size(), row.size());
        double worst = 0, dot = 0, length = 0;
        for (size_t k = 0; k < row.size(); ++k) {
          const auto x = static_cast<double>(got[i][k]);
          worst = std::max(worst, std::fabs(x - row[k].get<double>()));
          dot += x * row[k].get<double>();
          length += x * x;
        }
        EXPECT_NEAR(length, 1, 1e-5);
        const double limit = compute == DType::kF32 ? 1e-5 : 0.02;
        EXPECT_LE(worst, limit) << texts[i];
        EXPECT_GE(dot / std::sqrt(length), 0.9995) << texts[i];
      }
    }
  }
};

TEST_F(InferenceGolden, MiniLmEmbeddings) {
  check_embeddings("minilm", "minilm_l6_v2.json", Bert::Pooling::kMean);
}

TEST_F(InferenceGolden, BgeSmallZhEmbeddings) {
  check_embeddings("bge_zh", "bge_small_zh_v15.json", Bert::Pooling::kCls);
}

TEST_F(InferenceGolden, RerankerLogits) {
  const std::string folder = data_path("reranker/reranker_en");
  KEXUE_SKIP_WITHOUT(folder + "/model.safetensors");
  const auto want =
      io::parse_json_file(golden_path("reranker_msmarco_l12.json"));
  const double tolerance = want["logit_abs_tolerance"].get<double>();
  Inference inference(session(), folder, {}, Head::kClassifier);
  std::vector<std::string> a, b;
  for (const auto& item : want["items"]) {
    a.push_back(item["a"].get<std::string>());
    b.push_back(item["b"].get<std::string>());
  }
  const auto got = inference.logits(a, b);
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].size(), 1U);
    EXPECT_NEAR(static_cast<double>(got[i][0]),
                want["items"][i]["logit"].get<double>(),
                tolerance)
        << a[i];
  }
}

}  // namespace
}  // namespace kexue::train
