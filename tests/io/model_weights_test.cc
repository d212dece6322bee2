#include "kexue/io/model_weights.h"

#include <gtest/gtest.h>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::TempFolder;

constexpr const char* kIndex = "model.safetensors.index.json";

void write_shards(const TempFolder& dir) {
  save_safetensors(dir / "s1.safetensors", {{"a", HostArray::scalar(1.0f)}});
  save_safetensors(
      dir / "s2.safetensors",
      {{"b", HostArray::scalar(2.0f)}, {"c", HostArray::scalar(3.0f)}});
}

void write_index(const TempFolder& dir, const std::string& map) {
  write_file(dir / kIndex, "{\"metadata\":{},\"weight_map\":" + map + "}");
}

TEST(ModelWeights, SingleFile) {
  const TempFolder dir;
  save_safetensors(dir / "model.safetensors", {{"a", HostArray::scalar(1.0f)}});
  for (const auto& path : {dir.path(), dir / "model.safetensors"}) {
    const auto w = open_model_weights(path);
    EXPECT_EQ(w.tensor("a").at(0), 1.0);
    EXPECT_ERROR(w.tensor("b"), Code::kNotFound, "no tensor b");
  }
}

TEST(ModelWeights, ShardsAreOneSet) {
  const TempFolder dir;
  write_shards(dir);
  write_index(dir,
              R"({"a":"s1.safetensors","b":"s2.safetensors",)"
              R"("c":"s2.safetensors"})");
  const auto w = open_model_weights(dir.path());
  EXPECT_EQ(w.names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(w.tensor("c").at(0), 3.0);
  EXPECT_EQ(w.type("b").str(), "f32[]");
}

TEST(ModelWeights, IndexMustAgreeWithTheShards) {
  const TempFolder dir;
  write_shards(dir);
  const auto open = [&] { open_model_weights(dir.path()); };
  write_index(dir, R"({"a":"s1.safetensors","b":"s2.safetensors"})");
  EXPECT_ERROR(open(), Code::kCorruptData, "tensor c is in s2", "nothing");
  write_index(dir,
              R"({"a":"s2.safetensors","b":"s2.safetensors",)"
              R"("c":"s2.safetensors"})");
  EXPECT_ERROR(open(), Code::kCorruptData, "tensor a is not in s2");
  write_index(dir,
              R"({"a":"s1.safetensors","b":"s2.safetensors",)"
              R"("c":"s2.safetensors","d":"s2.safetensors"})");
  EXPECT_ERROR(open(), Code::kCorruptData, "tensor d is not in s2");
  write_index(dir, R"({"a":"s3.safetensors"})");
  EXPECT_ERROR(open(), Code::kNotFound, "s3.safetensors");
}

TEST(ModelWeights, TensorInTwoShardsIsCorrupt) {
  const TempFolder dir;
  save_safetensors(dir / "s1", {{"a", HostArray::scalar(1.0f)}});
  save_safetensors(
      dir / "s2",
      {{"a", HostArray::scalar(1.0f)}, {"b", HostArray::scalar(1.0f)}});
  write_index(dir, R"({"a":"s1","b":"s2"})");
  EXPECT_ERROR(open_model_weights(dir.path()),
               Code::kCorruptData,
               "tensor a is in s2, the index says s1");
}

TEST(ModelWeights, ShardNamesAreNeverPaths) {
  const TempFolder dir;
  write_shards(dir);
  for (const auto* name : {"../x", "/etc/passwd", ".hidden", "", "a b"}) {
    write_index(dir, "{\"a\":\"" + std::string(name) + "\"}");
    EXPECT_ERROR(open_model_weights(dir.path()),
                 Code::kCorruptData,
                 "no plain file name");
  }
}

TEST(ModelWeights, BadIndexShapes) {
  const TempFolder dir;
  for (const auto* text : {"[]", "{}", "{\"weight_map\":[]}"}) {
    write_file(dir / kIndex, text);
    EXPECT_ERROR(
        open_model_weights(dir.path()), Code::kCorruptData, "weight_map");
  }
  write_index(dir, "{}");
  EXPECT_ERROR(open_model_weights(dir.path()), Code::kCorruptData, "empty");
  write_index(dir, "{\"a\":1}");
  EXPECT_ERROR(
      open_model_weights(dir.path()), Code::kCorruptData, "not a file name");
}

TEST(ModelWeights, MissingNamesBothFiles) {
  const TempFolder dir;
  EXPECT_ERROR(open_model_weights(dir.path()),
               Code::kNotFound,
               "neither model.safetensors nor model.safetensors.index.json");
  EXPECT_ERROR(open_model_weights(dir / "x"), Code::kNotFound, dir / "x");
}

TEST(ModelWeights, PicklesAreRefusedWithAHint) {
  const TempFolder dir;
  write_file(dir / "pytorch_model.bin", "PK");
  for (const auto& path : {dir.path(), dir / "pytorch_model.bin"}) {
    EXPECT_ERROR(open_model_weights(path),
                 Code::kUnsupported,
                 "pytorch_model.bin: a PyTorch pickle",
                 "save_file");
  }
}

TEST(SafeFileName, Cases) {
  EXPECT_TRUE(is_safe_file_name("model-00001-of-00002.safetensors"));
  EXPECT_TRUE(is_safe_file_name(std::string(255, 'a')));
  EXPECT_FALSE(is_safe_file_name(std::string(256, 'a')));
  EXPECT_FALSE(is_safe_file_name(".."));
  EXPECT_FALSE(is_safe_file_name("a/b"));
}

}  // namespace
}  // namespace kexue::io
