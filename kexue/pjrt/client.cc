#include "kexue/pjrt/client.h"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/pjrt/detail/api.h"

namespace kexue::pjrt {
namespace {

using detail::ClientState;

Device describe(const PJRT_Api* api, PJRT_Device* device) {
  KEXUE_PJRT_ARGS(PJRT_Device_GetDescription, get);
  get.device = device;
  KEXUE_PJRT_CALL(api, PJRT_Device_GetDescription, get);
  KEXUE_PJRT_ARGS(PJRT_DeviceDescription_Id, id);
  id.device_description = get.device_description;
  KEXUE_PJRT_CALL(api, PJRT_DeviceDescription_Id, id);
  KEXUE_PJRT_ARGS(PJRT_DeviceDescription_Kind, kind);
  kind.device_description = get.device_description;
  KEXUE_PJRT_CALL(api, PJRT_DeviceDescription_Kind, kind);
  KEXUE_PJRT_ARGS(PJRT_DeviceDescription_ToString, text);
  text.device_description = get.device_description;
  KEXUE_PJRT_CALL(api, PJRT_DeviceDescription_ToString, text);
  return {id.id,
          std::string(kind.device_kind, kind.device_kind_size),
          std::string(text.to_string, text.to_string_size)};
}

void read_platform(ClientState* s) {
  KEXUE_PJRT_ARGS(PJRT_Client_PlatformName, name);
  name.client = s->raw;
  KEXUE_PJRT_CALL(s->api, PJRT_Client_PlatformName, name);
  s->platform_name.assign(name.platform_name, name.platform_name_size);
  KEXUE_PJRT_ARGS(PJRT_Client_PlatformVersion, version);
  version.client = s->raw;
  KEXUE_PJRT_CALL(s->api, PJRT_Client_PlatformVersion, version);
  s->platform_version.assign(version.platform_version,
                             version.platform_version_size);
  KEXUE_PJRT_ARGS(PJRT_Client_AddressableDevices, devices);
  devices.client = s->raw;
  KEXUE_PJRT_CALL(s->api, PJRT_Client_AddressableDevices, devices);
  for (size_t i = 0; i < devices.num_addressable_devices; ++i) {
    PJRT_Device* device = devices.addressable_devices[i];
    s->raw_devices.push_back(device);
    s->devices.push_back(describe(s->api, device));
  }
}

PJRT_Device* device_at(const ClientState& s, size_t device) {
  if (device >= s.raw_devices.size()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("device {} of {}: the client has {}",
                            device,
                            s.platform_name,
                            s.raw_devices.size()));
  }
  return s.raw_devices[device];
}

struct KeepAlive {
  HostArray array;
  const PJRT_Api* api;
};

// Runs on a thread of the plugin once it no longer reads the array.
void release(PJRT_Error* error, void* user) {
  const std::unique_ptr<KeepAlive> kept(static_cast<KeepAlive*>(user));
  detail::discard(kept->api, error);
}

void keep_until(const PJRT_Api* api, PJRT_Event* done, const HostArray& array) {
  auto kept = std::make_unique<KeepAlive>(KeepAlive{array, api});
  KEXUE_PJRT_ARGS(PJRT_Event_OnReady, args);
  args.event = done;
  args.callback = release;
  args.user_arg = kept.get();
  KEXUE_PJRT_CALL(api, PJRT_Event_OnReady, args);
  kept.release();
}

// Sets an environment variable, unless the user did, while the object lives.
class Variable final {
 public:
  Variable(const char* name, const char* value)
      : name_(std::getenv(name) == nullptr ? name : nullptr) {
    if (name_ != nullptr) ::setenv(name_, value, 1);
  }
  ~Variable() {
    if (name_ != nullptr) ::unsetenv(name_);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

// The CPU plugin's threads. In a program over several devices each sum or
// gather holds one of them on each device until its partners have come, and
// those that are independent start in any order. With a thread for each
// processor all of them can be held by sums that wait for each other.
constexpr const char* kMeshThreads = "256";  // the most that the plugin takes

}  // namespace

namespace detail {

ClientState::~ClientState() {
  if (raw == nullptr) return;
  KEXUE_PJRT_ARGS(PJRT_Client_Destroy, args);
  args.client = raw;
  discard(api, api->PJRT_Client_Destroy(&args));
}

}  // namespace detail

Client Client::create(const Plugin& plugin, const ClientOptions& options) {
  std::vector<Attribute> all = options.extra;
  if (options.cpu_device_count != 0) {
    all.push_back({"cpu_device_count", options.cpu_device_count});
  }
  const auto values = detail::named_values(all);
  auto state = std::make_shared<ClientState>(plugin);
  KEXUE_PJRT_ARGS(PJRT_Client_Create, args);
  args.create_options = values.data();
  args.num_options = values.size();
  {
    // Older plugins know the second name alone.
    std::optional<Variable> own, old;
    if (options.cpu_device_count > 1 && std::getenv("NPROC") == nullptr) {
      own.emplace("PJRT_NPROC", kMeshThreads);
      old.emplace("NPROC", kMeshThreads);
    }
    KEXUE_PJRT_CALL(state->api, PJRT_Client_Create, args);
  }
  state->raw = args.client;
  read_platform(state.get());
  return Client(std::move(state));
}

const Plugin& Client::plugin() const {
  return state_->plugin;
}
const std::string& Client::platform_name() const {
  return state_->platform_name;
}
const std::string& Client::platform_version() const {
  return state_->platform_version;
}
const std::vector<Device>& Client::devices() const {
  return state_->devices;
}

std::optional<MemoryStats> Client::memory_stats(size_t device) const {
  const PJRT_Api* api = state_->api;
  KEXUE_PJRT_ARGS(PJRT_Device_MemoryStats, args);
  args.device = device_at(*state_, device);
  if (api->PJRT_Device_MemoryStats == nullptr) return std::nullopt;
  PJRT_Error* error = api->PJRT_Device_MemoryStats(&args);
  if (error != nullptr) {
    detail::discard(api, error);
    return std::nullopt;
  }
  const auto maybe = [](bool set, int64_t x) {
    return set ? std::optional(x) : std::nullopt;
  };
  return MemoryStats{
      args.bytes_in_use,
      maybe(args.peak_bytes_in_use_is_set, args.peak_bytes_in_use),
      maybe(args.bytes_limit_is_set, args.bytes_limit),
      maybe(args.largest_free_block_bytes_is_set,
            args.largest_free_block_bytes)};
}

Buffer Client::to_device(const HostArray& array,
                         size_t device,
                         HostSemantics semantics) const {
  const PJRT_Api* api = state_->api;
  const bool zero_copy = semantics == HostSemantics::kZeroCopy;
  const auto& dims = array.shape().dims();
  auto home = std::make_shared<const detail::BufferHome>(
      detail::BufferHome{state_, {array.type()}});
  KEXUE_PJRT_ARGS(PJRT_Client_BufferFromHostBuffer, args);
  args.client = state_->raw;
  args.data = array.data();
  args.type = detail::to_pjrt(array.dtype());
  args.dims = dims.data();
  args.num_dims = dims.size();
  args.host_buffer_semantics =
      zero_copy ? PJRT_HostBufferSemantics_kImmutableZeroCopy
                : PJRT_HostBufferSemantics_kImmutableOnlyDuringCall;
  args.device = device_at(*state_, device);
  KEXUE_PJRT_CALL(api, PJRT_Client_BufferFromHostBuffer, args);
  const detail::Event done(api, args.done_with_host_buffer);
  const TensorType* type = home->types.data();
  Buffer buffer(std::move(home), type, args.buffer);
  if (zero_copy && done.raw() != nullptr) keep_until(api, done.raw(), array);
  return buffer;
}

Executable Client::compile(std::string_view mlir_text,
                           const CompileOptions& options) const {
  const std::string serialized = serialize(options);
  constexpr std::string_view kFormat = "mlir";
  PJRT_Program program{};
  program.struct_size = PJRT_Program_STRUCT_SIZE;
  program.code = const_cast<char*>(mlir_text.data());  // only read here
  program.code_size = mlir_text.size();
  program.format = kFormat.data();
  program.format_size = kFormat.size();
  KEXUE_PJRT_ARGS(PJRT_Client_Compile, args);
  args.client = state_->raw;
  args.program = &program;
  args.compile_options = serialized.data();
  args.compile_options_size = serialized.size();
  KEXUE_PJRT_CALL(state_->api, PJRT_Client_Compile, args);
  return detail::make_executable(state_, args.executable);
}

Executable Client::deserialize(std::span<const std::byte> bytes) const {
  KEXUE_PJRT_ARGS(PJRT_Executable_DeserializeAndLoad, args);
  args.client = state_->raw;
  args.serialized_executable = reinterpret_cast<const char*>(bytes.data());
  args.serialized_executable_size = bytes.size();
  KEXUE_PJRT_CALL(state_->api, PJRT_Executable_DeserializeAndLoad, args);
  return detail::make_executable(state_, args.loaded_executable);
}

}  // namespace kexue::pjrt
