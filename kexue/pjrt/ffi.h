// Our own C++ functions as custom calls inside compiled programs.
//
// A program calls a registered function by
//   "stablehlo.custom_call"(%x) {call_target_name = "name",
//       api_version = 4 : i32, backend_config = {scale = 3.0 : f32}} : ...
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kexue/base/dtype.h"
#include "kexue/pjrt/plugin.h"

namespace kexue::pjrt {

// An argument or result: dense, row-major unless the call asks otherwise.
struct FfiBuffer {
  DType dtype;
  std::span<const int64_t> dims;
  void* data;
};

class FfiCall;
// Fills the results. Runs on a thread of the plugin, several at once. May
// throw: the execution then fails with that text.
using FfiFunction = void (*)(const FfiCall&);

namespace detail {
void* ffi_dispatch(void* call_frame, FfiFunction function) noexcept;
}  // namespace detail

// One call; valid, like everything it hands out, only until the function
// returns.
class FfiCall final {
 public:
  std::span<const FfiBuffer> args() const { return args_; }
  std::span<const FfiBuffer> results() const { return results_; }

  // Entries of backend_config.
  // Errors: kInvalidArgument if absent or of another type.
  bool has_attr(std::string_view name) const;
  int64_t attr_int(std::string_view name) const;   // any integer, or bool
  double attr_float(std::string_view name) const;  // f32 or f64
  std::span<const int64_t> attr_ints(std::string_view name) const;  // of i64

 private:
  friend void* detail::ffi_dispatch(void*, FfiFunction) noexcept;
  FfiCall(std::span<const FfiBuffer> args,
          std::span<const FfiBuffer> results,
          const void* attrs)
      : args_(args), results_(results), attrs_(attrs) {}

  std::span<const FfiBuffer> args_;
  std::span<const FfiBuffer> results_;
  const void* attrs_;
};

struct FfiTarget {
  const char* name;
  void* handler;  // what the plugin calls
};

namespace detail {
template <FfiFunction F>
void* ffi_trampoline(void* call_frame) {
  return ffi_dispatch(call_frame, F);
}
}  // namespace detail

template <FfiFunction F>
FfiTarget ffi_target(const char* name) {
  return {name, reinterpret_cast<void*>(&detail::ffi_trampoline<F>)};
}

// Makes the functions known to every client of the plugin, for programs that
// run on the host's processor. Do it before compiling or loading a program that
// calls them. Registering the same function again does nothing.
// Errors: kUnsupported if the plugin cannot do it (Plugin::has_ffi),
//         kInvalidArgument if a name stands for another function already.
void register_ffi(const Plugin& plugin, std::span<const FfiTarget> targets);

}  // namespace kexue::pjrt
