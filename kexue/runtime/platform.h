// What a platform needs to be fast: one table, from measurements.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kexue/base/dtype.h"
#include "kexue/pjrt/compile_options.h"
#include "kexue/transforms/precision.h"

namespace kexue::runtime {

// A row of the table. Nothing else in the code asks which platform it is on.
struct Platform {
  std::string name;  // as the plugin says: "cpu", "cuda", "tpu"
  // Flags of the compiler, set per program.
  std::map<std::string, pjrt::FlagValue> flags;
  // Custom calls of kexue/kernels that beat the compiler here.
  std::vector<std::string> kernels;
  // Those that also serve programs on several devices. The compiler cannot
  // split a custom call: every device gathers the inputs and computes
  // everything, which is right but only pays for tiny inputs.
  std::vector<std::string> mesh_kernels;
  // Whether 16-bit values pay between products too (Precision::low_glue).
  bool low_glue = true;
  // The compiler takes products of 16-bit values with f32 results.
  bool mixed_products = true;
  // Loops of at most this many turns become straight-line code.
  int64_t unroll = 0;
  // The processor has bf16 products; without them bf16 is slower than f32.
  bool fast_bf16 = true;
};

// The row for a plugin's platform name. A plugin without FFI gets no kernels;
// an unknown platform gets a row without flags.
Platform platform_for(const std::string& name, bool has_ffi);

// "avx512f avx512_bf16 amx_bf16 ...", as far as kernels care.
std::vector<std::string> cpu_features();

}  // namespace kexue::runtime
