#include "kexue/kernels/simd.h"

#include <atomic>

namespace kexue::kernels {

#if defined(__x86_64__)
namespace avx512 {
extern const detail::Simd kSimd;
}
namespace avx2 {
extern const detail::Simd kSimd;
}
namespace avx512bf16 {
void product_strip_bf16(const detail::TileStrides& t,
                        const uint32_t* a,
                        const uint32_t* b,
                        float* c,
                        int64_t rows,
                        int64_t n,
                        int64_t k,
                        bool add);
}
#endif
namespace baseline {
extern const detail::Simd kSimd;
}

namespace detail {
namespace {

std::vector<const Simd*> usable() {
  std::vector<const Simd*> forms;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_avx2 && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    forms.push_back(&avx512::kSimd);
  }
  if (has_avx2) forms.push_back(&avx2::kSimd);
#endif
  forms.push_back(&baseline::kSimd);
  return forms;
}

std::atomic<const Simd*>& chosen() {
  static std::atomic<const Simd*> form = usable().front();
  return form;
}

}  // namespace

const Simd& simd() {
  return *chosen().load(std::memory_order_relaxed);
}

StripFunction<uint32_t> bf16_strip() {
#if defined(__x86_64__)
  static const bool has_pairs = __builtin_cpu_supports("avx512bf16");
  if (has_pairs && &simd() == &avx512::kSimd) {
    return avx512bf16::product_strip_bf16;
  }
#endif
  return nullptr;
}

std::vector<std::string_view> simd_names() {
  std::vector<std::string_view> names;
  for (const Simd* form : usable()) names.emplace_back(form->name);
  return names;
}

bool select_simd(std::string_view name) {
  for (const Simd* form : usable()) {
    if (form->name == name) {
      chosen().store(form, std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

}  // namespace detail
}  // namespace kexue::kernels
