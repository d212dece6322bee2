// Plugins that are wrong in one way each (one FAKE_ macro per library).
#include "kexue/pjrt/detail/pjrt_header.h"

#if !defined(FAKE_NOT_A_PLUGIN)
namespace {

// A stand-in for every function: they are there, nobody calls them.
PJRT_Error* unused(void*) {
  return nullptr;
}

// An error object for the one plugin that gets as far as failing.
int error_object = 0;
PJRT_Error* fail(PJRT_Plugin_Initialize_Args*) {
  return reinterpret_cast<PJRT_Error*>(&error_object);
}
void message(PJRT_Error_Message_Args* args) {
  args->message = "no device today";
  args->message_size = 15;
}
PJRT_Error* code(PJRT_Error_GetCode_Args* args) {
  args->code = PJRT_Error_Code_UNAVAILABLE;
  return nullptr;
}
void destroy(PJRT_Error_Destroy_Args*) {}

PJRT_Api make() {
  PJRT_Api api{};
  auto* slot = reinterpret_cast<PJRT_Error* (**)(void*)>(
      reinterpret_cast<char*>(&api) + offsetof(PJRT_Api, PJRT_Error_Destroy));
  auto* end = reinterpret_cast<PJRT_Error* (**)(void*)>(
      reinterpret_cast<char*>(&api) + sizeof(api));
  while (slot != end) *slot++ = unused;
  api.struct_size = PJRT_Api_STRUCT_SIZE;
  api.pjrt_api_version.struct_size = PJRT_Api_Version_STRUCT_SIZE;
  api.pjrt_api_version.major_version = PJRT_API_MAJOR;
  api.pjrt_api_version.minor_version = PJRT_API_MINOR;
  api.PJRT_Error_Message = message;
  api.PJRT_Error_GetCode = code;
  api.PJRT_Error_Destroy = destroy;
  api.PJRT_Plugin_Initialize = fail;
#if defined(FAKE_OLD_MINOR)
  api.pjrt_api_version.minor_version = 40;
#elif defined(FAKE_NEW_MAJOR)
  api.pjrt_api_version.major_version = 1;
#elif defined(FAKE_TINY_STRUCT)
  api.struct_size = 16;
#elif defined(FAKE_SHORT_STRUCT)
  api.struct_size = offsetof(PJRT_Api, PJRT_Executable_OutputDimensions);
#elif defined(FAKE_NO_FFI)
  // Loads; it just has no attributes and no extensions.
  api.PJRT_Plugin_Initialize = [](PJRT_Plugin_Initialize_Args*) {
    return static_cast<PJRT_Error*>(nullptr);
  };
#elif defined(FAKE_NULL_FUNCTION)
  api.PJRT_LoadedExecutable_Execute = nullptr;
#endif
  return api;
}

}  // namespace

extern "C" const PJRT_Api* GetPjrtApi() {
  static const PJRT_Api api = make();
#if defined(FAKE_NULL_API)
  return api.struct_size == 0 ? &api : nullptr;
#else
  return &api;
#endif
}
#endif
