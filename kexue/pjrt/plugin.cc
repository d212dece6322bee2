#include "kexue/pjrt/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/pjrt/detail/api.h"

namespace kexue::pjrt {
namespace {

namespace fs = std::filesystem;
using detail::PluginState;

constexpr const char* kHint =
    "./dev setup installs a plugin that fits; or --plugin PATH";

struct Entry {
  const char* name;
  size_t offset;
};
#define KEXUE_ENTRY(function)               \
  Entry {                                   \
#function, offsetof(PJRT_Api, function) \
  }

// Everything that this folder calls without asking first.
constexpr Entry kRequired[] = {
    KEXUE_ENTRY(PJRT_Error_Destroy),
    KEXUE_ENTRY(PJRT_Error_Message),
    KEXUE_ENTRY(PJRT_Error_GetCode),
    KEXUE_ENTRY(PJRT_Plugin_Initialize),
    KEXUE_ENTRY(PJRT_Plugin_Attributes),
    KEXUE_ENTRY(PJRT_Event_Destroy),
    KEXUE_ENTRY(PJRT_Event_Await),
    KEXUE_ENTRY(PJRT_Event_OnReady),
    KEXUE_ENTRY(PJRT_Client_Create),
    KEXUE_ENTRY(PJRT_Client_Destroy),
    KEXUE_ENTRY(PJRT_Client_PlatformName),
    KEXUE_ENTRY(PJRT_Client_PlatformVersion),
    KEXUE_ENTRY(PJRT_Client_AddressableDevices),
    KEXUE_ENTRY(PJRT_Client_Compile),
    KEXUE_ENTRY(PJRT_Client_BufferFromHostBuffer),
    KEXUE_ENTRY(PJRT_DeviceDescription_Id),
    KEXUE_ENTRY(PJRT_DeviceDescription_Kind),
    KEXUE_ENTRY(PJRT_DeviceDescription_ToString),
    KEXUE_ENTRY(PJRT_Device_GetDescription),
    KEXUE_ENTRY(PJRT_Executable_Destroy),
    KEXUE_ENTRY(PJRT_Executable_Serialize),
    KEXUE_ENTRY(PJRT_Executable_NumOutputs),
    KEXUE_ENTRY(PJRT_Executable_OutputElementTypes),
    KEXUE_ENTRY(PJRT_Executable_OutputDimensions),
    KEXUE_ENTRY(PJRT_Executable_DeserializeAndLoad),
    KEXUE_ENTRY(PJRT_LoadedExecutable_Destroy),
    KEXUE_ENTRY(PJRT_LoadedExecutable_GetExecutable),
    KEXUE_ENTRY(PJRT_LoadedExecutable_AddressableDevices),
    KEXUE_ENTRY(PJRT_LoadedExecutable_Execute),
    KEXUE_ENTRY(PJRT_Buffer_Destroy),
    KEXUE_ENTRY(PJRT_Buffer_IsDeleted),
    KEXUE_ENTRY(PJRT_Buffer_ReadyEvent),
    KEXUE_ENTRY(PJRT_Buffer_ToHostBuffer),
};
#undef KEXUE_ENTRY

Error unsupported(const fs::path& path, const std::string& why) {
  return Error(Code::kUnsupported,
               fmt::format("plugin {}: {}", path.string(), why),
               kHint);
}

// Throws unless only this user and root can write to it.
void require_trusted(const fs::path& path, const struct stat& s) {
  const bool ours = s.st_uid == ::geteuid() || s.st_uid == 0;
  if (ours && (s.st_mode & S_IWOTH) == 0) return;
  throw Error(
      Code::kInvalidArgument,
      fmt::format("plugin: {} {}; it is not opened, because it would run with "
                  "your rights",
                  path.string(),
                  ours ? "can be written by every user"
                       : fmt::format("belongs to user {}", s.st_uid)),
      "chown and chmod o-w the file and its folder");
}

struct stat trusted_stat(const fs::path& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) {
    throw Error(
        errno == ENOENT || errno == ENOTDIR ? Code::kNotFound : Code::kIo,
        fmt::format("plugin {}: {}", path.string(), std::strerror(errno)),
        kHint);
  }
  if (!S_ISREG(file.st_mode)) throw unsupported(path, "not a regular file");
  require_trusted(path, file);
  struct stat folder {};
  const fs::path parent = path.parent_path();
  if (::stat(parent.c_str(), &folder) != 0) {
    throw Error(
        Code::kIo,
        fmt::format("plugin {}: {}", parent.string(), std::strerror(errno)));
  }
  require_trusted(parent, folder);
  return file;
}

void check_api(const fs::path& path, const PJRT_Api* api) {
  if (api == nullptr) throw unsupported(path, "GetPjrtApi gave nothing");
  if (api->struct_size < offsetof(PJRT_Api, PJRT_Error_Destroy) ||
      api->pjrt_api_version.struct_size < PJRT_Api_Version_STRUCT_SIZE) {
    throw unsupported(
        path,
        fmt::format("its API struct has {} bytes, too few for a version",
                    api->struct_size));
  }
  const auto& v = api->pjrt_api_version;
  if (v.major_version != kOldestApi.major ||
      v.minor_version < kOldestApi.minor) {
    throw unsupported(path,
                      fmt::format("it speaks PJRT API {}.{}, wanted {}.{} or a "
                                  "later {}.x",
                                  v.major_version,
                                  v.minor_version,
                                  kOldestApi.major,
                                  kOldestApi.minor,
                                  kOldestApi.major));
  }
  for (const auto& entry : kRequired) {
    void* function = nullptr;
    if (entry.offset + sizeof(function) <= api->struct_size) {
      std::memcpy(&function,
                  reinterpret_cast<const char*>(api) + entry.offset,
                  sizeof(function));
    }
    if (function == nullptr) {
      throw unsupported(path,
                        fmt::format("its API {}.{} of {} bytes lacks {}",
                                    v.major_version,
                                    v.minor_version,
                                    api->struct_size,
                                    entry.name));
    }
  }
}

// The FFI extension of API 0.81 takes handlers and never finds them again; that
// of 0.106 works. Versions between were not tried.
constexpr int kOldestFfiMinor = 106;

const detail::FfiExtension* find_ffi(const PJRT_Api* api) {
  if (api->pjrt_api_version.minor_version < kOldestFfiMinor) return nullptr;
  const PJRT_Extension_Base* e = api->extension_start;
  // The bound is for a broken chain that bites its tail.
  for (int i = 0; e != nullptr && i < 1000; ++i, e = e->next) {
    if (detail::int_of(e->type) != PJRT_Extension_Type_FFI) continue;
    if (e->struct_size < sizeof(detail::FfiExtension)) return nullptr;
    const auto* ffi = reinterpret_cast<const detail::FfiExtension*>(e);
    return ffi->register_handler == nullptr ? nullptr : ffi;
  }
  return nullptr;
}

const PJRT_Api* open_api(const fs::path& path) {
  ::setenv("TF_CPP_MIN_LOG_LEVEL", "3", 0);
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    throw unsupported(path, why == nullptr ? "cannot be opened" : why);
  }
  using GetApi = const PJRT_Api* (*)();
  const auto get = reinterpret_cast<GetApi>(::dlsym(library, "GetPjrtApi"));
  if (get == nullptr) {
    ::dlclose(library);
    throw unsupported(path, "no GetPjrtApi in it: not a PJRT plugin");
  }
  const PJRT_Api* api = get();
  check_api(path, api);
  return api;
}

std::unique_ptr<PluginState> open_plugin(const fs::path& path,
                                         const struct stat& file) {
  auto state = std::make_unique<PluginState>();
  state->path = path;
  state->file = file;
  state->api = open_api(path);
  KEXUE_PJRT_ARGS(PJRT_Plugin_Initialize, init);
  KEXUE_PJRT_CALL(state->api, PJRT_Plugin_Initialize, init);
  KEXUE_PJRT_ARGS(PJRT_Plugin_Attributes, args);
  KEXUE_PJRT_CALL(state->api, PJRT_Plugin_Attributes, args);
  state->attributes =
      detail::attributes_of(args.attributes, args.num_attributes);
  state->ffi = find_ffi(state->api);
  return state;
}

}  // namespace

Plugin Plugin::load(const fs::path& given) {
  const fs::path path = fs::absolute(given).lexically_normal();
  const struct stat file = trusted_stat(path);
  static std::mutex mutex;
  using Key = std::pair<dev_t, ino_t>;
  static auto& loaded = *new std::map<Key, std::unique_ptr<PluginState>>;
  const std::lock_guard lock(mutex);
  auto& slot = loaded[{file.st_dev, file.st_ino}];
  if (slot == nullptr) slot = open_plugin(path, file);
  return Plugin(slot.get());
}

const fs::path& Plugin::path() const {
  return state_->path;
}

ApiVersion Plugin::api_version() const {
  const auto& v = state_->api->pjrt_api_version;
  return {v.major_version, v.minor_version};
}

const std::vector<Attribute>& Plugin::attributes() const {
  return state_->attributes;
}

bool Plugin::has_ffi() const {
  return state_->ffi != nullptr;
}

std::string to_string(const NamedValue& value) {
  if (const auto* s = std::get_if<std::string>(&value)) return *s;
  if (const auto* i = std::get_if<int64_t>(&value)) return std::to_string(*i);
  if (const auto* f = std::get_if<float>(&value)) return fmt::format("{}", *f);
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  const auto& list = std::get<std::vector<int64_t>>(value);
  return fmt::format("[{}]", fmt::join(list, ","));
}

}  // namespace kexue::pjrt
