// A GGUF image: either a clean error, or a file that holds every promise of
// the format and survives writing and reading.
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "kexue/base/error.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/gguf_image.h"

namespace kexue::fuzz {
namespace {

using testing::gguf_key;
using testing::gguf_list;
using testing::gguf_tensor;
using testing::gguf_text;
using testing::GgufImage;
using testing::le;

// The rules again, written without the reader's code.
void check_tensors(const io::Gguf& file, size_t size) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < file.tensors().size(); ++i) {
    const io::TensorInfo& t = file.tensors()[i];
    check(t.shape.rank() >= 1 && t.shape.rank() <= 4, "rank 1-4");
    check(!t.name.empty() && t.name.size() <= 255, "names of 1-255 bytes");
    check(file.index_of(t.name) == i, "names are unique");
    bytes += t.bytes;
    if (!t.dtype) continue;
    const HostArray a = file.tensor(i);
    check(a.shape() == t.shape && a.dtype() == *t.dtype, "as listed");
    check(a.bytes() <= 8 * t.bytes, "no tensor grows beyond 8 times");
  }
  check(bytes <= size, "tensors are in the file");
}

void check_round_trip(const io::Gguf& file) {
  const auto path = (std::filesystem::temp_directory_path() /
                     ("kexue-fuzz-gguf-" + std::to_string(::getpid())))
                        .string();
  try {
    io::save_gguf(path, file, file.values());
  } catch (const Error& e) {
    check(e.code() == Code::kUnsupported, "only types that it cannot read");
    return;
  }
  const auto again = io::Gguf::open(path);
  io::real_fs().unlink(path);
  check(again->tensors().size() == file.tensors().size(), "all tensors");
  for (size_t i = 0; i < file.tensors().size(); ++i) {
    check(again->tensor(i).identical(file.tensor(i)), "bytes survive");
  }
  for (const auto& [key, value] : again->values()) {
    const io::GgufValue* before = file.find(key);
    check(before != nullptr && before->raw == value.raw &&
              before->texts == value.texts && before->type == value.type,
          "values survive");
  }
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string arch =
      gguf_key("general.architecture", 8, gguf_text("llama"));
  return {
      GgufImage{}.str(),
      GgufImage{.keys = {gguf_key("a", 0, "x"), gguf_key("b", 6, le(1.5f))},
                .tensors = {gguf_tensor("w", {3, 2}, 0, 0)},
                .data_bytes = 32}
          .str(),
      GgufImage{
          .version = 2,
          .keys = {arch, gguf_key("llama.block_count", 4, le<uint32_t>(1))},
          .tensors = {gguf_tensor("blk.0.q", {32, 2}, 8, 0),
                      gguf_tensor("n", {8}, 1, 96),
                      gguf_tensor("m", {32}, 3, 128)},
          .data_bytes = 160}
          .str(),
      GgufImage{
          .keys = {gguf_key("general.alignment", 4, le<uint32_t>(64)),
                   gguf_list("tokenizer.ggml.tokens",
                             8,
                             2,
                             gguf_text("a") + gguf_text("<0x0A>")),
                   gguf_list("tokenizer.ggml.token_type",
                             5,
                             2,
                             le<int32_t>(1) + le<int32_t>(6)),
                   gguf_key("tokenizer.ggml.bos_token_id", 4, le<uint32_t>(0))},
          .tensors = {gguf_tensor("t", {32}, 2, 0),
                      gguf_tensor("k", {256}, 12, 64),
                      gguf_tensor("i", {2}, 24, 256)},
          .data_bytes = 320,
          .alignment = 64}
          .str()};
}

std::vector<std::string> dictionary() {
  return {"GGUF",
          le<uint32_t>(9),
          le<uint32_t>(8),
          le<uint64_t>(1),
          le<uint64_t>(65536),
          le(~uint64_t{0}),
          le<uint64_t>(uint64_t{1} << 60),
          gguf_text("general.alignment"),
          gguf_key("k", 7, "\1"),
          gguf_list("l", 4, 1, le<uint32_t>(1)),
          gguf_tensor("x", {1}, 0, 0),
          std::string(32, '\0')};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue;
  std::shared_ptr<const io::Gguf> file;
  try {
    file = testing::open_gguf(
        std::string(reinterpret_cast<const char*>(data), size));
  } catch (const Error& e) {
    fuzz::check_code(e);
    return 0;
  }
  fuzz::check_tensors(*file, size);
  fuzz::check_round_trip(*file);
  return 0;
}
