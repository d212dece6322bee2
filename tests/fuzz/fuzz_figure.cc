// A figure file: what is accepted counts the same in two engines.
#include "kexue/base/error.h"
#include "kexue/science/colouring.h"
#include "tests/fuzz/fuzz_target.h"

namespace kexue::fuzz {

std::vector<std::string> seeds() {
  return {R"({"segments":4,"colours":3,"cells":[[0,1,2,3]]})",
          R"({"segments":7,"colours":3,"cells":[[3,0,4,1],[5,1,6,2]],)"
          R"("cell_rule":"strict_plurality","constraints":[{"cells":[0,1],)"
          R"("rule":"all_different"}],"symmetries":[[2,1,0,5,6,3,4]],)"
          R"("lines":[[0,0,0,1],[1,0,1,1],[2,0,2,1],[0,0,1,0],[0,1,1,1],)"
          R"([1,0,2,0],[1,1,2,1]]})"};
}

std::vector<std::string> dictionary() {
  return {"\"segments\":",
          "\"cells\":[[",
          "],[",
          "0",
          "16",
          "4096",
          "-1",
          "1e9",
          "two_one_one",
          "at_least_three",
          "ends_equal",
          "null",
          "\"rule\":\"all_equal\""};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto p = science::figure_from_json(text, "fuzz");
    // Small ones only: a count may take its time.
    if (science::enumeration_bits(p) > 14) return 0;
    const auto a = science::count_colourings(p, science::Engine::kEliminate);
    fuzz::check(a == science::count_colourings(p, science::Engine::kEnumerate),
                "engines agree");
  } catch (const Error& e) {
    fuzz::check(e.code() == Code::kCorruptData ||
                    e.code() == Code::kUnsupported ||
                    e.code() == Code::kInvalidArgument,
                "errors are of the input");
  }
  return 0;
}
