// The plugin that KEXUE_REAL_PLUGIN names, but for one thing: it compiles no
// program that holds a bf16.
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "kexue/pjrt/detail/pjrt_header.h"

namespace {

const PJRT_Api* real = nullptr;

PJRT_Error* compile(PJRT_Client_Compile_Args* args) {
  const std::string code(args->program->code, args->program->code_size);
  if (code.find("bf16") == code.npos) return real->PJRT_Client_Compile(args);
  std::string refused = "a type that this compiler does not know";
  PJRT_Program program = *args->program;
  program.code = refused.data();
  program.code_size = refused.size();
  PJRT_Client_Compile_Args other = *args;
  other.program = &program;
  return real->PJRT_Client_Compile(&other);
}

const PJRT_Api* make() {
  void* library = dlopen(std::getenv("KEXUE_REAL_PLUGIN"), RTLD_NOW);
  if (library == nullptr) return nullptr;
  using Get = const PJRT_Api* (*)();
  real = reinterpret_cast<Get>(dlsym(library, "GetPjrtApi"))();
  // Newer plugins have a longer table than our header knows.
  static std::vector<std::byte> table(real->struct_size);
  std::memcpy(table.data(), real, real->struct_size);
  auto* api = reinterpret_cast<PJRT_Api*>(table.data());
  api->PJRT_Client_Compile = compile;
  return api;
}

}  // namespace

extern "C" const PJRT_Api* GetPjrtApi() {
  static const PJRT_Api* api = make();
  return api;
}
