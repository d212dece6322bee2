#include "kexue/io/onnx.h"

#include <gtest/gtest.h>

#include "kexue/io/atomic_file.h"
#include "kexue/io/safetensors.h"
#include "kexue/io/weight_map.h"
#include "tests/io/made_values.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::expect_made;
using testing::expect_made_transposed;
using testing::made_file;
using testing::tensor_named;

class OnnxFile : public ::testing::TestWithParam<Access> {
 protected:
  std::shared_ptr<const Onnx> open(const std::string& name) const {
    return Onnx::open(made_file(name), GetParam());
  }
};

TEST_P(OnnxFile, RawAndTypedNumbersAreTheSame) {
  const auto file = open("small.onnx");
  for (const std::string kind : {"raw.", "typed."}) {
    for (const std::string type :
         {"f32", "f16", "f64", "i8", "i16", "i32", "i64", "bool"}) {
      expect_made(tensor_named(*file, kind + type), kind + type);
    }
    for (const std::string type : {"u8", "u16", "u32", "u64"}) {
      expect_made(tensor_named(*file, kind + type), kind + type, true);
    }
  }
  expect_made(tensor_named(*file, "typed.bf16"), "typed.bf16");
  EXPECT_EQ(tensor_named(*file, "raw.f16").type().str(), "f16[2,3]");
  EXPECT_EQ(tensor_named(*file, "typed.bf16").dtype(), DType::kBF16);
  EXPECT_EQ(tensor_named(*file, "raw.u16").dtype(), DType::kI32);
  EXPECT_EQ(tensor_named(*file, "typed.bool").dtype(), DType::kBool);
  EXPECT_ERROR(tensor_named(*file, "typed.text"),
               Code::kUnsupported,
               "tensor typed.text: STRING is not supported");
  EXPECT_EQ(file->metadata().at("producer"), "make_files");
}

TEST_P(OnnxFile, ExternalDataIsReadFromTheFileBeside) {
  const auto file = open("outside.onnx");
  ASSERT_EQ(file->tensors().size(), 2u);
  expect_made(tensor_named(*file, "outside.a"), "outside.a");
  expect_made(tensor_named(*file, "outside.b"), "outside.b");
}

TEST_P(OnnxFile, MatricesAreNamedAfterBiasesAndModules) {
  const auto weights = onnx_modules(open("small.onnx"));
  EXPECT_EQ(testing::names_of(*weights),
            (std::vector<std::string>{"head.bias",
                                      "head.weight",
                                      "layer.0.dense.bias",
                                      "layer.0.dense.weight",
                                      "layer.1.dense.bias",
                                      "layer.1.dense.weight",
                                      "tail.proj.weight"}));
  // MatMul's [in,out] is turned, Gemm's transB says [out,in] already.
  expect_made_transposed(tensor_named(*weights, "layer.0.dense.weight"),
                         "onnx::MatMul_7");
  expect_made_transposed(tensor_named(*weights, "tail.proj.weight"),
                         "onnx::MatMul_8");
  expect_made(tensor_named(*weights, "head.weight"), "head.weight");
  expect_made(tensor_named(*weights, "head.bias"), "head.bias");
}

TEST_P(OnnxFile, IntegersAreDequantised) {
  const auto weights = onnx_modules(open("small.onnx"));
  const auto a = tensor_named(*weights, "layer.1.dense.weight");
  EXPECT_EQ(a.type().str(), "f32[5,4]");
  for (int64_t i = 0; i < 5; ++i) {
    for (int64_t j = 0; j < 4; ++j) {
      const double q = testing::made_value(
          "onnx::MatMul_9_quantized", j * 5 + i, DType::kI32);
      EXPECT_EQ(a.at(i * 4 + j),
                static_cast<float>((q + 3) * static_cast<double>(0.1f)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Access,
                         OnnxFile,
                         ::testing::Values(Access::kCopy, Access::kMap),
                         [](const auto& i) {
                           return i.param == Access::kMap ? "Map" : "Copy";
                         });

// The models as fetched, against what a Python program made of them.
void expect_same_weights(const std::string& model, const std::string& wanted) {
  const auto ours = onnx_modules(Onnx::open(model, Access::kMap));
  const auto want = Safetensors::open(wanted);
  EXPECT_EQ(ours->tensors().size(), want.entries().size());
  for (const auto& e : want.entries()) {
    SCOPED_TRACE(e.name);
    EXPECT_TRUE(tensor_named(*ours, e.name).identical(want.tensor(e.name)));
  }
}

TEST(OnnxModels, BgeIsTheConvertedFile) {
  const std::string model = testing::data_path("onnx/bge_small_zh.onnx");
  const std::string wanted = testing::data_path("bge_zh/model.safetensors");
  KEXUE_SKIP_WITHOUT(model);
  KEXUE_SKIP_WITHOUT(wanted);
  expect_same_weights(model, wanted);
}

TEST(OnnxModels, Int8RerankerIsTheConvertedFile) {
  const std::string model = testing::data_path("onnx/reranker_en.onnx");
  const std::string wanted =
      testing::data_path("reranker/reranker_en/model.safetensors");
  KEXUE_SKIP_WITHOUT(model);
  KEXUE_SKIP_WITHOUT(wanted);
  expect_same_weights(model, wanted);
}

}  // namespace
}  // namespace kexue::io
