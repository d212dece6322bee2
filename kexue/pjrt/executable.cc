#include "kexue/pjrt/executable.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "kexue/base/error.h"
#include "kexue/pjrt/detail/api.h"

namespace kexue::pjrt {
namespace {

using detail::ExecutableState;

// n values on the stack, or on the heap when there are many.
template <class T, size_t N>
class Scratch final {
 public:
  explicit Scratch(size_t n) {
    if (n > N) many_.resize(n);
    data_ = n > N ? many_.data() : few_.data();
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T& operator[](size_t i) { return data_[i]; }
  T* data() { return data_; }

 private:
  std::array<T, N> few_;
  std::vector<T> many_;
  T* data_;
};

std::vector<TensorType> output_types_of(const PJRT_Api* api,
                                        PJRT_Executable* executable) {
  KEXUE_PJRT_ARGS(PJRT_Executable_NumOutputs, count);
  count.executable = executable;
  KEXUE_PJRT_CALL(api, PJRT_Executable_NumOutputs, count);
  KEXUE_PJRT_ARGS(PJRT_Executable_OutputElementTypes, types);
  types.executable = executable;
  KEXUE_PJRT_CALL(api, PJRT_Executable_OutputElementTypes, types);
  KEXUE_PJRT_ARGS(PJRT_Executable_OutputDimensions, dims);
  dims.executable = executable;
  KEXUE_PJRT_CALL(api, PJRT_Executable_OutputDimensions, dims);
  // A program without outputs may be reported as one empty tuple.
  const size_t n = count.num_outputs;
  if (types.num_output_types < n || dims.num_outputs < n) {
    throw Error(Code::kDevice,
                fmt::format("the plugin reports {} outputs, {} types and {} "
                            "shapes of a program",
                            n,
                            types.num_output_types,
                            dims.num_outputs));
  }
  std::vector<TensorType> out;
  const int64_t* next = dims.dims;
  for (size_t i = 0; i < n; ++i) {
    const int type = detail::int_of(types.output_types[i]);
    const auto dtype = detail::from_pjrt(type);
    if (!dtype) {
      throw Error(Code::kUnsupported,
                  fmt::format("output {} has PJRT element type {}, which kexue "
                              "does not know",
                              i,
                              type));
    }
    const size_t rank = dims.dim_sizes[i];
    out.push_back({*dtype, Shape(std::vector<int64_t>(next, next + rank))});
    next += rank;
  }
  return out;
}

void check_argument(const ExecutableState& s, const Buffer* arg, size_t i) {
  if (arg == nullptr || arg->empty()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("execute: argument {} is an empty buffer", i));
  }
  if (arg->home()->client != s.client) {
    throw Error(Code::kInvalidArgument,
                fmt::format("execute: argument {} ({}) belongs to another "
                            "client",
                            i,
                            arg->type().str()));
  }
  if (!s.parameters) return;
  const auto& want = (*s.parameters)[i % s.parameters->size()];
  if (arg->type() != want) {
    throw Error(Code::kInvalidArgument,
                fmt::format("execute: argument {} must be {}, got {}",
                            i,
                            want.str(),
                            arg->type().str()));
  }
}

void check_count(const ExecutableState& s, size_t got) {
  if (s.parameters && got != s.parameters->size() * s.num_devices) {
    throw Error(Code::kInvalidArgument,
                fmt::format("execute: {} parameters on {} device(s), got {} "
                            "arguments",
                            s.parameters->size(),
                            s.num_devices,
                            got));
  }
  if (got % s.num_devices != 0) {
    throw Error(Code::kInvalidArgument,
                fmt::format("execute: {} arguments cannot be split over {} "
                            "devices",
                            got,
                            s.num_devices));
  }
}

// The plugin's text does not say which buffer it was.
[[noreturn]] void explain(const Error& error,
                          std::span<const Buffer* const> args) {
  for (size_t i = 0; i < args.size(); ++i) {
    if (!args[i]->is_deleted()) continue;
    throw Error(error.code(),
                error.text(),
                fmt::format("argument {} ({}) was donated or deleted before",
                            i,
                            args[i]->type().str()));
  }
  throw error;
}

PJRT_ExecuteOptions raw_options(const ExecuteOptions& options) {
  PJRT_ExecuteOptions out{};
  out.struct_size = PJRT_ExecuteOptions_STRUCT_SIZE;
  out.launch_id = options.launch_id;
  out.non_donatable_input_indices = options.non_donatable.data();
  out.num_non_donatable_input_indices = options.non_donatable.size();
  return out;
}

}  // namespace

Executable::Executable(std::unique_ptr<ExecutableState> state)
    : state_(std::move(state)) {}
Executable::~Executable() = default;
Executable::Executable(Executable&&) noexcept = default;
Executable& Executable::operator=(Executable&&) noexcept = default;

std::vector<Buffer> Executable::execute(std::span<const Buffer* const> args,
                                        const ExecuteOptions& options) const {
  const ExecutableState& s = *state_;
  const PJRT_Api* api = s.client->api;
  const size_t devices = s.num_devices;
  check_count(s, args.size());
  const size_t num_args = args.size() / devices;
  const auto& types = s.outputs->types;

  Scratch<PJRT_Buffer*, 128> inputs(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    check_argument(s, args[i], i);
    inputs[i] = args[i]->raw();
  }
  Scratch<PJRT_Buffer*, 128> outputs(types.size() * devices);
  Scratch<PJRT_Buffer* const*, 8> input_lists(devices);
  Scratch<PJRT_Buffer**, 8> output_lists(devices);
  Scratch<PJRT_Event*, 8> events(devices);
  for (size_t d = 0; d < devices; ++d) {
    input_lists[d] = inputs.data() + d * num_args;
    output_lists[d] = outputs.data() + d * types.size();
    events[d] = nullptr;
  }

  PJRT_ExecuteOptions raw = raw_options(options);
  KEXUE_PJRT_ARGS(PJRT_LoadedExecutable_Execute, call);
  call.executable = s.loaded;
  call.options = &raw;
  call.argument_lists = input_lists.data();
  call.num_devices = devices;
  call.num_args = num_args;
  call.output_lists = output_lists.data();
  call.device_complete_events = options.await ? events.data() : nullptr;
  PJRT_Error* error = api->PJRT_LoadedExecutable_Execute(&call);
  if (error != nullptr) [[unlikely]] {
    try {
      detail::raise(api, error, "PJRT_LoadedExecutable_Execute");
    } catch (const Error& e) {
      explain(e, args);
    }
  }

  std::vector<Buffer> results;
  results.reserve(types.size() * devices);
  for (size_t i = 0; i < types.size() * devices; ++i) {
    results.emplace_back(s.outputs, &types[i % types.size()], outputs[i]);
  }
  if (options.await) detail::await_all(api, {events.data(), devices});
  return results;
}

void Executable::expect_parameters(std::vector<TensorType> types) {
  state_->parameters = std::move(types);
}

const std::vector<TensorType>& Executable::output_types() const {
  return state_->outputs->types;
}

size_t Executable::num_devices() const {
  return state_->num_devices;
}

ProgramMemory Executable::memory() const {
  const PJRT_Api* api = state_->client->api;
  constexpr size_t kEnd =
      offsetof(PJRT_Api, PJRT_Executable_GetCompiledMemoryStats) +
      sizeof(void*);
  if (api->struct_size < kEnd ||
      api->PJRT_Executable_GetCompiledMemoryStats == nullptr) {
    throw Error(Code::kUnsupported,
                "the plugin does not tell what memory a program takes");
  }
  KEXUE_PJRT_ARGS(PJRT_Executable_GetCompiledMemoryStats, args);
  args.executable = state_->raw;
  KEXUE_PJRT_CALL(api, PJRT_Executable_GetCompiledMemoryStats, args);
  return {.arguments = args.argument_size_in_bytes,
          .outputs = args.output_size_in_bytes,
          .aliased = args.alias_size_in_bytes,
          .temporary = args.temp_size_in_bytes,
          .code = args.generated_code_size_in_bytes};
}

std::vector<std::byte> Executable::serialize() const {
  KEXUE_PJRT_ARGS(PJRT_Executable_Serialize, args);
  args.executable = state_->raw;
  KEXUE_PJRT_CALL(state_->client->api, PJRT_Executable_Serialize, args);
  struct Backing {
    PJRT_Executable_Serialize_Args& a;
    ~Backing() {
      if (a.serialized_executable_deleter != nullptr) {
        a.serialized_executable_deleter(a.serialized_executable);
      }
    }
  } const backing{args};
  const auto* first = reinterpret_cast<const std::byte*>(args.serialized_bytes);
  return {first, first + args.serialized_bytes_size};
}

namespace detail {

void await_all(const PJRT_Api* api, std::span<PJRT_Event* const> events) {
  PJRT_Error* first = nullptr;
  for (PJRT_Event* raw : events) {
    if (raw == nullptr) continue;
    const Event event(api, raw);
    KEXUE_PJRT_ARGS(PJRT_Event_Await, args);
    args.event = raw;
    PJRT_Error* error = api->PJRT_Event_Await(&args);
    if (first == nullptr) {
      first = error;
    } else {
      discard(api, error);
    }
  }
  check(api, first, "PJRT_LoadedExecutable_Execute");
}

ExecutableState::~ExecutableState() {
  if (raw != nullptr) {
    KEXUE_PJRT_ARGS(PJRT_Executable_Destroy, args);
    args.executable = raw;
    discard(client->api, client->api->PJRT_Executable_Destroy(&args));
  }
  if (loaded != nullptr) {
    KEXUE_PJRT_ARGS(PJRT_LoadedExecutable_Destroy, args);
    args.executable = loaded;
    discard(client->api, client->api->PJRT_LoadedExecutable_Destroy(&args));
  }
}

Executable make_executable(std::shared_ptr<const ClientState> client,
                           PJRT_LoadedExecutable* loaded) {
  const PJRT_Api* api = client->api;
  auto state = std::make_unique<ExecutableState>(client);
  state->loaded = loaded;
  KEXUE_PJRT_ARGS(PJRT_LoadedExecutable_GetExecutable, get);
  get.loaded_executable = loaded;
  KEXUE_PJRT_CALL(api, PJRT_LoadedExecutable_GetExecutable, get);
  state->raw = get.executable;
  KEXUE_PJRT_ARGS(PJRT_LoadedExecutable_AddressableDevices, devices);
  devices.executable = loaded;
  KEXUE_PJRT_CALL(api, PJRT_LoadedExecutable_AddressableDevices, devices);
  state->num_devices = devices.num_addressable_devices;
  if (state->num_devices == 0) {
    throw Error(Code::kDevice, "the program runs on no device of this process");
  }
  state->outputs = std::make_shared<const BufferHome>(
      BufferHome{std::move(client), output_types_of(api, state->raw)});
  return Executable(std::move(state));
}

}  // namespace detail
}  // namespace kexue::pjrt
