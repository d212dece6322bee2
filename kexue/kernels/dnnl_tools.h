// Private to the folder's oneDNN files.
#pragma once

#include <omp.h>

#include <dnnl.hpp>

#include "kexue/base/dtype.h"

namespace kexue::kernels::detail {

// Never destroyed: worker threads may outlive the other statics.
inline const dnnl::engine& dnnl_cpu() {
  static const auto* engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

// Whether the library multiplies bf16 values on this processor.
bool dnnl_has_bf16();

// The library would split its work over OpenMP threads; our callers have split
// it already.
class OneThread final {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

inline dnnl::memory::data_type dnnl_type(DType dtype) {
  return dtype == DType::kF32 ? dnnl::memory::data_type::f32
                              : dnnl::memory::data_type::bf16;
}

}  // namespace kexue::kernels::detail
