// Private to kexue/pjrt: checked calls of the C API, and what handles point to.
#pragma once

#include <sys/stat.h>

#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kexue/base/shape.h"
#include "kexue/pjrt/client.h"
#include "kexue/pjrt/detail/ffi_extension.h"
#include "kexue/pjrt/detail/pjrt_header.h"
#include "kexue/pjrt/plugin.h"

// A zeroed argument struct of the size that our header knows.
#define KEXUE_PJRT_ARGS(function, variable) \
  function##_Args variable{};               \
  variable.struct_size = function##_Args_STRUCT_SIZE

// Calls; an error becomes Error(kDevice) with the call's name.
#define KEXUE_PJRT_CALL(api, function, args) \
  ::kexue::pjrt::detail::check((api), (api)->function(&(args)), #function)

namespace kexue::pjrt::detail {

// Frees `error` and throws it.
[[noreturn]] void raise(const PJRT_Api* api,
                        PJRT_Error* error,
                        const char* call);

inline void check(const PJRT_Api* api, PJRT_Error* error, const char* call) {
  if (error != nullptr) [[unlikely]] {
    raise(api, error, call);
  }
}

// Frees an error that nobody can act on: those of destructors and callbacks.
void discard(const PJRT_Api* api, PJRT_Error* error) noexcept;

// The value of a C enum written by the plugin: one of a newer API may be out of
// our enum's range, and reading that as the enum is undefined.
template <class Enum>
int int_of(const Enum& e) {
  static_assert(sizeof(Enum) == sizeof(int));
  int value = 0;
  std::memcpy(&value, &e, sizeof(value));
  return value;
}

// Owns an event.
class Event final {
 public:
  Event(const PJRT_Api* api, PJRT_Event* raw) : api_(api), raw_(raw) {}
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  PJRT_Event* raw() const { return raw_; }
  // Blocks; `what` names the work in the error.
  void await(const char* what) const;

 private:
  const PJRT_Api* api_;
  PJRT_Event* raw_;
};

// Waits for all, frees all, then throws the first error.
void await_all(const PJRT_Api* api, std::span<PJRT_Event* const> events);

std::vector<Attribute> attributes_of(const PJRT_NamedValue* values,
                                     size_t count);
// The result points into `attributes`.
std::vector<PJRT_NamedValue> named_values(
    const std::vector<Attribute>& attributes);

PJRT_Buffer_Type to_pjrt(DType dtype);
// Nothing for the element types that kexue has not.
std::optional<DType> from_pjrt(int type);

// Never destroyed: plugins stay open.
struct PluginState {
  std::filesystem::path path;
  struct stat file {};  // when it was opened
  const PJRT_Api* api = nullptr;
  const FfiExtension* ffi = nullptr;  // null if it cannot register handlers
  std::vector<Attribute> attributes;

  std::mutex mutex;  // of the members below
  std::string fingerprint;
  std::map<std::string, void*> ffi_handlers;
};

struct ClientState {
  explicit ClientState(const Plugin& p) : plugin(p), api(p.state()->api) {}
  ~ClientState();
  ClientState(const ClientState&) = delete;
  ClientState& operator=(const ClientState&) = delete;

  Plugin plugin;
  const PJRT_Api* api;
  PJRT_Client* raw = nullptr;
  std::string platform_name;
  std::string platform_version;
  std::vector<PJRT_Device*> raw_devices;
  std::vector<Device> devices;
};

// What buffers share, so that an output costs no allocation for its type.
struct BufferHome {
  std::shared_ptr<const ClientState> client;
  std::vector<TensorType> types;
};

struct ExecutableState {
  explicit ExecutableState(std::shared_ptr<const ClientState> c)
      : client(std::move(c)) {}
  ~ExecutableState();
  ExecutableState(const ExecutableState&) = delete;
  ExecutableState& operator=(const ExecutableState&) = delete;

  std::shared_ptr<const ClientState> client;
  PJRT_LoadedExecutable* loaded = nullptr;
  PJRT_Executable* raw = nullptr;
  size_t num_devices = 0;
  std::shared_ptr<const BufferHome> outputs;
  std::optional<std::vector<TensorType>> parameters;
};

// Takes over `loaded` and asks it for its outputs.
Executable make_executable(std::shared_ptr<const ClientState> client,
                           PJRT_LoadedExecutable* loaded);

}  // namespace kexue::pjrt::detail
