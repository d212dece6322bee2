// Private to kexue/pjrt: the part of PJRT's FFI extension that we use (its
// header is not vendored). This layout is that of every API since kOldestApi; a
// plugin that expects a longer argument struct answers with an error.
#pragma once

#include <cstddef>

#include "kexue/pjrt/detail/pjrt_header.h"

namespace kexue::pjrt::detail {

struct FfiRegisterHandlerArgs {
  size_t struct_size;
  const char* target_name;
  size_t target_name_size;
  void* handler;  // called for the execution stage only
  const char* platform_name;
  size_t platform_name_size;
  int traits;
};
inline constexpr size_t kFfiRegisterHandlerArgsSize =
    offsetof(FfiRegisterHandlerArgs, traits) + sizeof(int);

struct FfiExtension {
  PJRT_Extension_Base base;
  void* type_register;
  void* user_data_add;
  PJRT_Error* (*register_handler)(FfiRegisterHandlerArgs* args);
};

}  // namespace kexue::pjrt::detail
