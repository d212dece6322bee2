#include "kexue/runtime/platform.h"

#include <algorithm>

#include "kexue/kernels/targets.h"

namespace kexue::runtime {

std::vector<std::string> cpu_features() {
  std::vector<std::string> out;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) out.emplace_back("avx2");
  if (__builtin_cpu_supports("fma")) out.emplace_back("fma");
  if (__builtin_cpu_supports("avx512f")) out.emplace_back("avx512f");
  if (__builtin_cpu_supports("avx512bf16")) out.emplace_back("avx512_bf16");
  if (__builtin_cpu_supports("avx512vnni")) out.emplace_back("avx512_vnni");
#endif
  return out;
}

Platform platform_for(const std::string& name, bool has_ffi) {
  Platform p;
  p.name = name;
  if (name != "cpu") return p;
  const auto features = cpu_features();
  const bool bf16 =
      std::find(features.begin(), features.end(), "avx512_bf16") !=
      features.end();
  // docs/design/0002-cpu-platform.md holds the figures for each choice.
  // Fast min and max lose NaN: a broken step would look sound.
  p.flags = {{"xla_cpu_enable_fast_min_max", false}};
  p.low_glue = false;
  p.mixed_products = false;  // "BF16 x BF16 = F32" is unsupported in a thunk
  p.unroll = 16;
  p.fast_bf16 = bf16;
  if (has_ffi) {
    p.kernels = kernels::names();
    p.mesh_kernels = {"kexue_fold_in"};  // u32[2], and 110 scalar ops
  }
  return p;
}

}  // namespace kexue::runtime
