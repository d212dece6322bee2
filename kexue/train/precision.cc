#include "kexue/train/precision.h"

#include "kexue/base/error.h"
#include "kexue/ops/ops.h"

namespace kexue::precision {

Value all_finite(const Values& values) {
  if (values.empty()) {
    throw Error(Code::kInvalidArgument, "all_finite: nothing to look at");
  }
  Value all;
  for (const Value& v : values) {
    const Value good = ops::all(ops::is_finite(v));
    all = &v == &values[0] ? good : ops::bit_and(all, good);
  }
  return all;
}

}  // namespace kexue::precision
