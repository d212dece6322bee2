#include "kexue/io/gguf.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kexue/io/atomic_file.h"
#include "kexue/io/block_quant.h"
#include "kexue/io/weight_map.h"
#include "tests/io/made_values.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::expect_made;
using testing::made_file;
using testing::tensor_named;

class GgufFile : public ::testing::TestWithParam<Access> {
 protected:
  std::shared_ptr<const Gguf> file_ =
      Gguf::open(made_file("small.gguf"), GetParam());
};

TEST_P(GgufFile, PlainTensorsAreTheWritersNumbers) {
  for (const char* name : {"t.f32",
                           "t.f16",
                           "t.f64",
                           "t.bf16",
                           "t.i8",
                           "t.i16",
                           "t.i32",
                           "t.i64"}) {
    expect_made(tensor_named(*file_, name), name);
  }
  const auto type = [&](const char* name) {
    const auto a = tensor_named(*file_, name);
    return a.type().str();
  };
  EXPECT_EQ(type("t.f16"), "f16[2,3]");
  EXPECT_EQ(type("t.bf16"), "bf16[2,4]");
  EXPECT_EQ(type("t.i8"), "i32[2,3]");
  EXPECT_EQ(type("t.i64"), "i64[2,3]");
}

TEST_P(GgufFile, BlocksAreDequantisedAsTheFormatsPackageDoes) {
  for (const std::string name : {"t.q8_0", "t.q4_0", "t.q4_1"}) {
    SCOPED_TRACE(name);
    const auto ours = tensor_named(*file_, name);
    EXPECT_EQ(ours.type().str(), "f32[3,64]");
    EXPECT_TRUE(ours.identical(tensor_named(*file_, name + ".values")));
  }
}

TEST_P(GgufFile, KeysHaveTheirValues) {
  const auto value = [&](const char* key) { return *file_->find(key); };
  EXPECT_EQ(value("general.name").text(), "a small file");
  EXPECT_EQ(value("kexue.u8").integer(), 200);
  EXPECT_EQ(value("kexue.i8").integer(), -100);
  EXPECT_EQ(value("kexue.u16").integer(), 60000);
  EXPECT_EQ(value("kexue.i16").integer(), -30000);
  EXPECT_EQ(value("kexue.i32").integer(), -2000000000);
  EXPECT_EQ(value("kexue.u64").integer(), INT64_MAX);
  EXPECT_EQ(value("kexue.i64").integer(), -(int64_t{1} << 62));
  EXPECT_EQ(value("kexue.f64").number(), 0.1);
  EXPECT_EQ(value("kexue.bool").integer(), 1);
  EXPECT_EQ(value("kexue.floats").number(1), -2.0);
  EXPECT_EQ(value("tokenizer.ggml.tokens").texts,
            (std::vector<std::string>{"<unk>", "a", "<0x0A>"}));
  EXPECT_EQ(file_->find("nothing"), nullptr);
  EXPECT_EQ(file_->metadata().at("tokenizer.ggml.tokens"), "3 strings");
  EXPECT_EQ(file_->metadata().at("tokenizer.ggml.scores"), "3 x f32");
  EXPECT_ERROR(value("general.name").integer(),
               Code::kInvalidArgument,
               "wanted an integer");
  EXPECT_ERROR(value("kexue.u8").text(), Code::kInvalidArgument, "wanted text");
  EXPECT_ERROR(
      value("kexue.u8").integer(1), Code::kInvalidArgument, "element 1 of 1");
}

TEST_P(GgufFile, AMissingTensorNamesASimilarOne) {
  EXPECT_ERROR(file_->index_of("blk.7.attn_q.weight"),
               Code::kNotFound,
               "no tensor blk.7.attn_q.weight",
               "it has blk.");
}

INSTANTIATE_TEST_SUITE_P(Access,
                         GgufFile,
                         ::testing::Values(Access::kCopy, Access::kMap),
                         [](const auto& i) {
                           return i.param == Access::kMap ? "Map" : "Copy";
                         });

// Worked by hand: d = 0.5, m = -1; the low nibbles are weights 0-15.
TEST(BlockQuant, NibblesAndScalesAreWhereTheFormatSays) {
  const auto block = [](std::initializer_list<int> head) {
    std::vector<std::byte> out;
    for (const int b : head) out.push_back(static_cast<std::byte>(b));
    for (int i = 0; i < 16; ++i) {
      out.push_back(static_cast<std::byte>(i | ((15 - i) << 4)));
    }
    return out;
  };
  std::vector<float> w(32);
  dequantize(BlockQuant::kQ4_0, block({0x00, 0x38}), w);
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(w[i], 0.5f * (static_cast<float>(i) - 8));
    EXPECT_EQ(w[16 + i], 0.5f * (7 - static_cast<float>(i)));
  }
  dequantize(BlockQuant::kQ4_1, block({0x00, 0x38, 0x00, 0xBC}), w);
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(w[i], 0.5f * static_cast<float>(i) - 1);
    EXPECT_EQ(w[16 + i], 0.5f * (15 - static_cast<float>(i)) - 1);
  }
  EXPECT_ERROR(dequantize(BlockQuant::kQ8_0, block({0, 0}), w),
               Code::kInvalidArgument,
               "18 bytes for 32 weights");
}

TEST(BlockQuant, Q8LosesAtMostHalfAStep) {
  std::vector<float> w(64);
  for (size_t i = 0; i < w.size(); ++i) {
    w[i] = std::sin(static_cast<float>(i)) * (i < 32 ? 1.0f : 1e-3f);
  }
  w[40] = 0;
  std::vector<std::byte> blocks(2 * 34);
  quantize_q8_0(w, blocks);
  std::vector<float> back(64);
  dequantize(BlockQuant::kQ8_0, blocks, back);
  for (size_t i = 0; i < w.size(); ++i) {
    const float largest = i < 32 ? 1.0f : 1e-3f;
    // Half a step of 1/127, and the rounding of d to f16 (2^-11) times 127.
    EXPECT_NEAR(back[i], w[i], largest * (0.5 / 127 + 1.0 / 2048)) << i;
  }
  w[3] = INFINITY;
  EXPECT_ERROR(quantize_q8_0(w, blocks), Code::kInvalidArgument, "weight inf");
  std::fill(w.begin(), w.end(), 0.0f);
  quantize_q8_0(w, blocks);
  dequantize(BlockQuant::kQ8_0, blocks, back);
  EXPECT_EQ(back, w);
}

TEST(GgufWriter, WhatItWritesReadsBackTheSame) {
  const testing::TempFolder dir;
  const auto in = Gguf::open(made_file("small.gguf"));
  save_gguf(dir / "copy.gguf", *in, in->values());
  const auto out = Gguf::open(dir / "copy.gguf");
  EXPECT_EQ(testing::names_of(*out), testing::names_of(*in));
  for (size_t i = 0; i < in->tensors().size(); ++i) {
    EXPECT_TRUE(out->tensor(i).identical(in->tensor(i)))
        << in->tensors()[i].name;
  }
  EXPECT_EQ(out->metadata(), in->metadata());
}

TEST(GgufWriter, Q8KeepsVectorsAndShortRows) {
  const testing::TempFolder dir;
  const auto in = Gguf::open(made_file("small.gguf"));
  save_gguf(dir / "q.gguf", *in, in->values(), GgufFloats::kQ8_0);
  const auto out = Gguf::open(dir / "q.gguf");
  const auto stored = [&](const char* name) {
    return out->tensors()[out->index_of(name)].stored;
  };
  EXPECT_EQ(stored("t.q4_1.values"), "Q8_0");
  EXPECT_EQ(stored("output_norm.weight"), "F32");
  EXPECT_EQ(stored("blk.0.attn_q.weight"), "F32");
  const auto a = tensor_named(*in, "t.q8_0.values");
  const auto b = tensor_named(*out, "t.q8_0.values");
  for (int64_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a.at(i), b.at(i), 0.02);
}

// Pairs (2i, 2i+1) become halves (i, i + d/2), head by head.
TEST(GgufLlama, NamesAndRotaryRowsAreHuggingFaces) {
  const SourcePtr file = Gguf::open(made_file("small.gguf"));
  const auto hf = with_weight_names(file, "gguf-llama");
  expect_made(tensor_named(*hf, "model.embed_tokens.weight"),
              "token_embd.weight");
  expect_made(tensor_named(*hf, "lm_head.weight"), "output.weight");
  expect_made(tensor_named(*hf, "model.norm.weight"), "output_norm.weight");
  expect_made(tensor_named(*hf, "model.layers.1.mlp.gate_proj.weight"),
              "blk.1.ffn_gate.weight");
  expect_made(tensor_named(*hf, "model.layers.0.input_layernorm.weight"),
              "blk.0.attn_norm.weight");
  expect_made(
      tensor_named(*hf, "model.layers.0.post_attention_layernorm.weight"),
      "blk.0.ffn_norm.weight");
  expect_made(tensor_named(*hf, "model.layers.0.self_attn.v_proj.weight"),
              "blk.0.attn_v.weight");
  // [8,4] in 2 heads of 4 rows: rows 0 1 2 3 | 4 5 6 7 -> 0 2 1 3 | 4 6 5 7.
  const auto q = tensor_named(*hf, "model.layers.0.self_attn.q_proj.weight");
  const std::vector<int64_t> rows = {0, 2, 1, 3, 4, 6, 5, 7};
  for (int64_t r = 0; r < 8; ++r) {
    for (int64_t c = 0; c < 4; ++c) {
      const int64_t from = rows[static_cast<size_t>(r)] * 4 + c;
      EXPECT_EQ(q.at(r * 4 + c),
                testing::made_value("blk.0.attn_q.weight", from, DType::kF32));
    }
  }
}

// Dequantised by numpy, as smollm2_dequantised.py beside the golden file says.
TEST(SmolLm2, TensorsAreNumpysToTheBit) {
  const std::string path =
      testing::data_path("smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
  KEXUE_SKIP_WITHOUT(path);
  const auto file = Gguf::open(path, Access::kMap);
  EXPECT_EQ(file->tensors().size(), 272u);
  EXPECT_EQ(file->find("tokenizer.ggml.tokens")->size(), 49152u);
  const std::string sums =
      read_file(testing::golden_path("smollm2_crc32.txt"), 1 << 20);
  size_t at = 0;
  size_t count = 0;
  while (at < sums.size()) {
    const size_t end = sums.find('\n', at);
    const std::string line = sums.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("#")) continue;
    const size_t space = line.find(' ');
    const auto a = tensor_named(*file, line.substr(space + 1));
    EXPECT_EQ(a.dtype(), DType::kF32);
    EXPECT_EQ(testing::crc32_text(a), line.substr(0, space)) << line;
    ++count;
  }
  EXPECT_EQ(count, 272u);
}

}  // namespace
}  // namespace kexue::io
