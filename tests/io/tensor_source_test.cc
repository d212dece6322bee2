#include "kexue/io/tensor_source.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>

#include "kexue/io/atomic_file.h"
#include "kexue/io/safetensors.h"
#include "kexue/io/weight_map.h"
#include "kexue/io/weights_writer.h"
#include "tests/io/made_values.h"
#include "tests/support/error_matchers.h"
#include "tests/support/faulty_fs.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::made_file;
using testing::TempFolder;
using testing::tensor_named;

std::string fmt_call(const std::string& name, int k) {
  return name + ", call " + std::to_string(k);
}

TEST(OpenTensors, TheContentSaysTheFormat) {
  const TempFolder dir;
  save_safetensors(dir / "any.name", {{"a", HostArray::scalar(1.0f)}});
  EXPECT_EQ(open_tensors(dir / "any.name")->format(), "safetensors");
  EXPECT_EQ(open_tensors(made_file("small.gguf"))->format(), "gguf");
  EXPECT_EQ(open_tensors(made_file("small.onnx"))->format(), "onnx");
  for (const char* end : {"", ".index", ".data-00000-of-00001"}) {
    EXPECT_EQ(
        open_tensors(made_file(std::string("bert_model.ckpt") + end))->format(),
        "tensorflow");
  }
}

TEST(OpenTensors, WhatIsNoneOfThemIsRefused) {
  const TempFolder dir;
  const auto refused = [&](const std::string& content,
                           const std::string& text,
                           const std::string& hint) {
    write_file(dir / "f", content);
    EXPECT_ERROR(open_tensors(dir / "f"), Code::kUnsupported, text, hint);
  };
  refused(std::string("PK\3\4", 4) + std::string(60, ' '), "pickle", "torch");
  refused("\x80\x02}q\x01" + std::string(60, ' '), "pickle", "convert it once");
  refused("\x89HDF\r\n\x1a\n" + std::string(60, ' '), "HDF5", "save_weights");
  refused("lmgg" + std::string(60, ' '), "before GGUF", "");
  refused("", "no safetensors, GGUF, ONNX", "is the file whole?");
  refused("hello, hello, hello", "no safetensors, GGUF, ONNX", "");
  EXPECT_ERROR(open_tensors(dir / "g"), Code::kNotFound, dir / "g");
  EXPECT_ERROR(open_tensors("/dev/zero"), Code::kUnsupported, "regular file");
  write_file(dir / "x.safetensors", "1234567");
  EXPECT_ERROR(open_tensors(dir / "x.safetensors"),
               Code::kCorruptData,
               "needs 8 bytes, 7 left");
}

TEST(OpenTensors, AFolderIsWhatItHolds) {
  const TempFolder dir;
  EXPECT_ERROR(open_tensors(dir.path()), Code::kNotFound, "neither");
  write_file(dir / "pytorch_model.bin", "x");
  EXPECT_ERROR(open_tensors(dir.path()), Code::kUnsupported, "pickle");
  const auto copy = [&](const char* from) {
    write_file(dir / from, read_file(made_file(from), 1 << 20));
  };
  copy("small.gguf");
  EXPECT_EQ(open_tensors(dir.path())->format(), "gguf");
  write_file(dir / "other.gguf", "x");
  EXPECT_ERROR(open_tensors(dir.path()),
               Code::kInvalidArgument,
               "other.gguf and small.gguf are there");
  save_safetensors(dir / "model.safetensors", {{"a", HostArray::scalar(1.0f)}});
  EXPECT_EQ(open_tensors(dir.path())->format(), "safetensors");
}

SourcePtr three(const TempFolder& dir) {
  save_safetensors(
      dir / "in.safetensors",
      {{"a", HostArray::of<float>({2, 2}, std::vector<float>{1, 2, 3, 4.5})},
       {"b", HostArray::of<int64_t>({3}, std::vector<int64_t>{1, 2, 3})},
       {"c", HostArray::of<float>({4}, std::vector<float>{5, 6, 7, 1e-9f})}});
  return open_tensors(dir / "in.safetensors");
}

TEST(SafetensorsFolder, ShardsHoldEachTensorOnceAndReadBack) {
  const TempFolder dir;
  const auto in = three(dir);
  const auto names = save_safetensors_folder(dir.path(), *in, 30);
  EXPECT_EQ(names,
            (std::vector<std::string>{"model-00001-of-00003.safetensors",
                                      "model-00002-of-00003.safetensors",
                                      "model-00003-of-00003.safetensors",
                                      "model.safetensors.index.json"}));
  EXPECT_EQ(read_file(dir / "model.safetensors.index.json", 4096),
            R"({
  "metadata": {
    "total_size": 56
  },
  "weight_map": {
    "a": "model-00001-of-00003.safetensors",
    "b": "model-00002-of-00003.safetensors",
    "c": "model-00003-of-00003.safetensors"
  }
}
)");
  const auto out = open_tensors(dir.path());
  ASSERT_EQ(testing::names_of(*out), testing::names_of(*in));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(out->tensor(i).identical(in->tensor(i)));
  }
}

TEST(SafetensorsFolder, OneFileIfItFitsAndALargeTensorIsNotSplit) {
  const TempFolder dir;
  const auto in = three(dir);
  EXPECT_EQ(save_safetensors_folder(dir.path(), *in, 56),
            (std::vector<std::string>{"model.safetensors"}));
  const TempFolder small;
  EXPECT_EQ(save_safetensors_folder(small.path(), *in, 1).size(), 4u);
}

TEST(WithFloatDtype, RoundsFloatsAndLeavesIntegers) {
  const TempFolder dir;
  const auto in = with_float_dtype(three(dir), DType::kBF16);
  EXPECT_EQ(tensor_named(*in, "a").type().str(), "bf16[2,2]");
  EXPECT_EQ(tensor_named(*in, "a").at(3), 4.5);
  EXPECT_EQ(tensor_named(*in, "b").dtype(), DType::kI64);
  EXPECT_EQ(in->tensors()[2].dtype, DType::kBF16);
  EXPECT_ERROR(with_float_dtype(in, DType::kI32),
               Code::kInvalidArgument,
               "i32 is no float");
}

// Every call of the file system fails once: a clean error, or a whole file.
TEST(SafetensorsFolder, AFaultLeavesNoHalfFile) {
  const TempFolder dir;
  const auto in = three(dir);
  for (int k = 1;; ++k) {
    const TempFolder out;
    testing::FaultyFs fs(k, {}, testing::FaultyFs::When::kOnce);
    bool failed = false;
    try {
      save_safetensors_folder(out.path(), *in, 30, {}, fs);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kIo);
      failed = true;
    }
    if (!fs.fired()) break;
    for (const auto& name : out.names()) {
      ASSERT_FALSE(name.starts_with(".tmp")) << k;
      if (name.ends_with(".safetensors")) {
        EXPECT_NO_THROW(Safetensors::open(out / name));
      }
    }
    if (!failed) continue;  // a fault that does not matter: close, fsync
  }
}

// The same for reading: an error of the system, or all the right numbers.
TEST(OpenTensors, AFaultIsAnErrorOfTheSystem) {
  for (const char* name : {"small.gguf", "outside.onnx", "types.ckpt"}) {
    const auto want = open_tensors(made_file(name));
    for (int k = 1;; ++k) {
      SCOPED_TRACE(fmt_call(name, k));
      testing::FaultyFs fs(k, {}, testing::FaultyFs::When::kOnce);
      try {
        const auto file = open_tensors(made_file(name), Access::kCopy, fs);
        for (size_t i = 0; i < want->tensors().size(); ++i) {
          if (!want->tensors()[i].dtype) continue;
          ASSERT_TRUE(file->tensor(i).identical(want->tensor(i)));
        }
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::kIo) << e.what();
      }
      if (!fs.fired()) break;
    }
  }
}

// Half of what a read asks for is no end of the file.
TEST(OpenTensors, ShortReadsAreContinued) {
  const auto want = open_tensors(made_file("small.gguf"));
  testing::FaultyFs fs(
      1, {.short_transfer = true}, testing::FaultyFs::When::kForever);
  const auto file = open_tensors(made_file("small.gguf"), Access::kCopy, fs);
  for (size_t i = 0; i < want->tensors().size(); ++i) {
    EXPECT_TRUE(file->tensor(i).identical(want->tensor(i)));
  }
}

TEST(WeightMap, UnknownAndUnsuitableMapsAreErrors) {
  const auto onnx = open_tensors(made_file("small.onnx"));
  EXPECT_ERROR(with_weight_names(onnx, "bert"),
               Code::kNotFound,
               "no weight map \"bert\"",
               "bert-tf, bert-legacy, gguf-llama, onnx-modules, none");
  EXPECT_ERROR(with_weight_names(onnx, "gguf-llama"),
               Code::kInvalidArgument,
               "for GGUF files");
  EXPECT_ERROR(
      with_weight_names(open_tensors(made_file("small.gguf")), "onnx-modules"),
      Code::kInvalidArgument,
      "for ONNX files");
  EXPECT_EQ(default_weight_map(*onnx), "onnx-modules");
  EXPECT_EQ(default_weight_map(*open_tensors(made_file("small.gguf"))), "none");
}

TEST(WeightMap, LegacyNormsAndDoubledNames) {
  const TempFolder dir;
  const auto one = HostArray::scalar(1.0f);
  save_safetensors(
      dir / "m",
      {{"x.LayerNorm.gamma", one}, {"x.LayerNorm.beta", one}, {"y", one}});
  EXPECT_EQ(testing::names_of(
                *with_weight_names(open_tensors(dir / "m"), "bert-legacy")),
            (std::vector<std::string>{
                "x.LayerNorm.weight", "x.LayerNorm.bias", "y"}));
  save_safetensors(dir / "m",
                   {{"x.LayerNorm.gamma", one}, {"x.LayerNorm.weight", one}});
  EXPECT_ERROR(with_weight_names(open_tensors(dir / "m"), "bert-legacy"),
               Code::kUnsupported,
               "would be a second x.LayerNorm.weight");
}

// Of /proc/self/status, in KiB.
int64_t status_kib(const char* key) {
  const std::string text = read_file("/proc/self/status", 1 << 16);
  const size_t at = text.find(key);
  return at == std::string::npos
             ? -1
             : std::strtoll(text.c_str() + at + std::strlen(key), nullptr, 10);
}

TEST(Mapping, ReadingAllOfAFileTakesNoMemoryOfItsOwn) {
#if defined(__SANITIZE_THREAD__)
  constexpr int64_t kShadow = 4;  // its notes on each byte that is read
#else
  constexpr int64_t kShadow = 0;
#endif
  const TempFolder dir;
  const HostArray big(DType::kF32, Shape{16 << 20});  // 64 MiB
  save_safetensors(dir / "big", {{"w", big}});
  const int64_t before = status_kib("RssAnon:");
  ASSERT_GT(before, 0);
  const auto file = open_tensors(dir / "big", Access::kMap);
  const HostArray w = tensor_named(*file, "w");
  EXPECT_TRUE(w.identical(big));  // touches every byte
  EXPECT_LT(status_kib("RssAnon:") - before, (kShadow * 64 + 4) * 1024);
}

TEST(Mapping, AddressesTellTheirFile) {
  const TempFolder dir;
  save_safetensors(dir / "m", {{"w", HostArray::scalar(1.0f)}});
  const std::byte* at = nullptr;
  {
    const auto file = open_tensors(dir / "m", Access::kMap);
    at = file->tensor(0).data();
    EXPECT_EQ(std::string(mapped_path_at(at)), dir / "m");
  }
  EXPECT_EQ(mapped_path_at(at), nullptr);
}

}  // namespace
}  // namespace kexue::io
