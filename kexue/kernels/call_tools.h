// Checks that the handlers of custom calls share. Private to kexue/kernels.
#pragma once

#include <string>
#include <string_view>

#include "kexue/base/error.h"
#include "kexue/kernels/floats.h"
#include "kexue/pjrt/ffi.h"

namespace kexue::kernels::detail {

using pjrt::FfiBuffer;
using pjrt::FfiCall;

[[noreturn]] inline void refuse(std::string_view what) {
  throw Error(Code::kInvalidArgument,
              "kernels: custom call with wrong " + std::string(what));
}

inline void require(bool ok, std::string_view what) {
  if (!ok) refuse(what);
}

inline void require_counts(const FfiCall& call, size_t args, size_t results) {
  require(call.args().size() == args, "number of arguments");
  require(call.results().size() == results, "number of results");
}

inline int64_t count(const FfiBuffer& x) {
  int64_t n = 1;
  for (const int64_t d : x.dims) n *= d;
  return n;
}

inline FloatsIn in(const FfiBuffer& x) {
  return {x.data, x.dtype};
}
inline FloatsOut out(const FfiBuffer& x) {
  return {x.data, x.dtype};
}

// The data of a buffer that must hold n elements of T.
template <class T>
T* typed(const FfiBuffer& x, int64_t n, std::string_view what) {
  require(x.dtype == dtype_of<T> && count(x) == n, what);
  return static_cast<T*>(x.data);
}

}  // namespace kexue::kernels::detail
