// The manifest of a checkpoint.
#include <string>
#include <string_view>

#include "kexue/base/error.h"
#include "kexue/io/checkpoint_manifest.h"
#include "tests/fuzz/fuzz_target.h"

namespace kexue::fuzz {
namespace {

constexpr const char* kGood =
    R"({"format": 1, "step": 42, "config_hash": "ab", "fingerprint": "x",)"
    R"( "score": -0.5, "files": [{"name": "state.safetensors", "bytes": 123,)"
    R"( "xxh3_128": "0123456789abcdef0123456789abcdef"},)"
    R"( {"name": "progress.json", "bytes": 4,)"
    R"( "xxh3_128": "0123456789abcdef0123456789abcdef"}]})";

}  // namespace

std::vector<std::string> seeds() {
  std::string no_score = kGood;
  no_score.replace(no_score.find("-0.5"), 4, "null");
  return {kGood, no_score};
}

std::vector<std::string> dictionary() {
  return {"\"format\"",
          "\"step\"",
          "\"score\"",
          "\"files\"",
          "\"bytes\"",
          "null",
          "1e999",
          "18446744073709551616",
          "..",
          "progress.json"};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue;
  using io::detail::parse_manifest;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  io::detail::Manifest read;
  try {
    read = parse_manifest(input, "manifest.json");
  } catch (const Error& e) {
    fuzz::check(
        e.code() == Code::kCorruptData || e.code() == Code::kUnsupported,
        "bad bytes are corrupt or unsupported");
    return 0;
  }
  fuzz::check(read.files.size() == 2, "two files");
  for (const auto& file : read.files) {
    fuzz::check(
        file.name == "state.safetensors" || file.name == "progress.json",
        "no name becomes a path");
    fuzz::check(file.xxh3_128.size() == 32, "a sum has 32 digits");
  }
  const std::string text = to_json(read);
  fuzz::check(to_json(parse_manifest(text, "again")) == text, "round trip");
  return 0;
}
