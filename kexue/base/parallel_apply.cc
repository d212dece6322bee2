#include "kexue/base/parallel_apply.h"

namespace kexue {

int default_workers() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace kexue
