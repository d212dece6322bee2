// A safetensors image: either a clean error, or a file that holds every
// promise of the format and survives writing and reading.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/safetensors.h"
#include "tests/fuzz/fuzz_target.h"

namespace kexue::fuzz {
namespace {

std::string image(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + header + std::string(data_bytes, '\1');
}

// The rules again, written without the reader's code.
void check_layout(const io::Safetensors& file, uint64_t data_bytes) {
  uint64_t at = 0;
  for (const auto& e : file.entries()) {
    check(e.begin == at, "tensors tile the file");
    check(e.end >= e.begin && e.end <= data_bytes, "tensors are in the file");
    check(e.shape.rank() <= 16, "rank <= 16");
    at = e.end;
  }
  check(at == data_bytes, "tensors end with the file");
}

void check_round_trip(const io::Safetensors& file) {
  std::vector<std::pair<std::string, HostArray>> tensors;
  for (const auto& e : file.entries()) {
    try {
      tensors.emplace_back(e.name, file.tensor(e.name));
    } catch (const Error& error) {
      check(error.code() == Code::kUnsupported ||
                error.code() == Code::kCorruptData,
            "a tensor is there, or its dtype or bools are refused");
    }
  }
  const auto path = (std::filesystem::temp_directory_path() /
                     ("kexue-fuzz-" + std::to_string(::getpid())))
                        .string();
  io::save_safetensors(path, tensors, file.metadata());
  const auto again = io::Safetensors::open(path);
  io::real_fs().unlink(path);
  check(again.metadata() == file.metadata(), "metadata survive");
  check(again.entries().size() == tensors.size(), "all tensors survive");
  for (const auto& [name, array] : tensors) {
    check(again.tensor(name).identical(array), "bytes survive");
  }
}

}  // namespace

std::vector<std::string> seeds() {
  return {
      image("{}", 0),
      image(R"({"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})", 8),
      image(R"({"__metadata__":{"format":"pt"},)"
            R"("b":{"dtype":"BOOL","shape":[3],"data_offsets":[8,11]},)"
            R"("a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}   )",
            11),
      image(R"({"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]},)"
            R"("z":{"dtype":"F64","shape":[0,9],"data_offsets":[1,1]}})",
            1)};
}

std::vector<std::string> dictionary() {
  return {"{",          "}",           "[",
          "]",          ",",           "\"a\":",
          "\"dtype\":", "\"shape\":",  "\"data_offsets\":",
          "\"BF16\"",   "\"C64\"",     "\"__metadata__\":{\"k\":\"v\"},",
          "0",          "-1",          "18446744073709551615",
          "1e3",        "\\u0000",     "\xff",
          "null",       "4294967296,", " "};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue;
  const auto bytes =
      std::make_shared<std::string>(reinterpret_cast<const char*>(data), size);
  std::optional<io::Safetensors> file;
  try {
    file = io::Safetensors::from_bytes(
        std::as_bytes(std::span(bytes->data(), size)), bytes, "fuzz");
  } catch (const Error& e) {
    fuzz::check_code(e);
    return 0;
  }
  uint64_t header = 0;
  std::memcpy(&header, data, 8);
  fuzz::check_layout(*file, size - 8 - header);
  fuzz::check_round_trip(*file);
  return 0;
}
