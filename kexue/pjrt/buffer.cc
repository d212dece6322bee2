#include "kexue/pjrt/buffer.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/pjrt/detail/api.h"

namespace kexue::pjrt {
namespace {

bool is_row_major(const PJRT_Api* api, PJRT_Buffer* raw, size_t rank) {
  KEXUE_PJRT_ARGS(PJRT_Buffer_GetMemoryLayout, args);
  args.buffer = raw;
  PJRT_Error* error = api->PJRT_Buffer_GetMemoryLayout(&args);
  if (error != nullptr) {
    detail::discard(api, error);
    return false;
  }
  const auto& tiled = args.layout.tiled;
  if (detail::int_of(args.layout.type) != PJRT_Buffer_MemoryLayout_Type_Tiled ||
      tiled.num_tiles != 0 || tiled.minor_to_major_size != rank) {
    return false;
  }
  for (size_t i = 0; i < rank; ++i) {
    if (tiled.minor_to_major[i] != static_cast<int64_t>(rank - 1 - i)) {
      return false;
    }
  }
  return true;
}

// Where the bytes are, if the host can read them there; else null. The buffer
// must be ready. Ten times faster for small tensors than ToHostBuffer, which
// hands the copy to another thread.
const void* host_pointer(const PJRT_Api* api, PJRT_Buffer* raw, size_t rank) {
  // Plugins may lack these: they are no part of what plugin.cc requires.
  if (api->PJRT_Buffer_IsOnCpu == nullptr ||
      api->PJRT_Buffer_GetMemoryLayout == nullptr ||
      api->PJRT_Buffer_OpaqueDeviceMemoryDataPointer == nullptr) {
    return nullptr;
  }
  KEXUE_PJRT_ARGS(PJRT_Buffer_IsOnCpu, cpu);
  cpu.buffer = raw;
  PJRT_Error* error = api->PJRT_Buffer_IsOnCpu(&cpu);
  if (error != nullptr || !cpu.is_on_cpu || !is_row_major(api, raw, rank)) {
    detail::discard(api, error);
    return nullptr;
  }
  KEXUE_PJRT_ARGS(PJRT_Buffer_OpaqueDeviceMemoryDataPointer, args);
  args.buffer = raw;
  error = api->PJRT_Buffer_OpaqueDeviceMemoryDataPointer(&args);
  if (error != nullptr) {
    detail::discard(api, error);
    return nullptr;
  }
  return args.device_memory_ptr;
}

void await_ready(const PJRT_Api* api, PJRT_Buffer* raw) {
  KEXUE_PJRT_ARGS(PJRT_Buffer_ReadyEvent, args);
  args.buffer = raw;
  KEXUE_PJRT_CALL(api, PJRT_Buffer_ReadyEvent, args);
  detail::Event(api, args.event).await("PJRT_Buffer_ReadyEvent");
}

}  // namespace

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  reset();
  home_ = std::move(other.home_);
  type_ = other.type_;
  raw_ = std::exchange(other.raw_, nullptr);
  return *this;
}

void Buffer::reset() noexcept {
  if (raw_ == nullptr) return;
  const PJRT_Api* api = home_->client->api;
  KEXUE_PJRT_ARGS(PJRT_Buffer_Destroy, args);
  args.buffer = std::exchange(raw_, nullptr);
  detail::discard(api, api->PJRT_Buffer_Destroy(&args));
  home_.reset();
}

const TensorType& Buffer::type() const {
  if (raw_ == nullptr) throw Error(Code::kInternal, "an empty device buffer");
  return *type_;
}

bool Buffer::is_deleted() const {
  if (raw_ == nullptr) return true;
  KEXUE_PJRT_ARGS(PJRT_Buffer_IsDeleted, args);
  args.buffer = raw_;
  KEXUE_PJRT_CALL(home_->client->api, PJRT_Buffer_IsDeleted, args);
  return args.is_deleted;
}

void Buffer::await() const {
  if (is_deleted()) {
    throw Error(Code::kInvalidArgument,
                raw_ == nullptr ? "await: an empty device buffer"
                                : fmt::format("await: device buffer {} was "
                                              "donated or deleted",
                                              type_->str()));
  }
  await_ready(home_->client->api, raw_);
}

HostArray Buffer::to_host() const {
  if (is_deleted()) {
    throw Error(Code::kInvalidArgument,
                raw_ == nullptr ? "to_host: an empty device buffer"
                                : fmt::format("to_host: device buffer {} was "
                                              "donated or deleted",
                                              type_->str()),
                "read it before the call that donates it");
  }
  const PJRT_Api* api = home_->client->api;
  HostArray out(*type_);
  const auto rank = static_cast<size_t>(type_->shape.rank());
  await_ready(api, raw_);
  if (const void* p = host_pointer(api, raw_, rank); p != nullptr) {
    std::memcpy(out.mutable_data(), p, out.bytes());
    return out;
  }
  // Asked for, because the device may keep another order.
  std::vector<int64_t> minor_to_major(rank);
  for (size_t i = 0; i < rank; ++i) {
    minor_to_major[i] = static_cast<int64_t>(rank - 1 - i);
  }
  PJRT_Buffer_MemoryLayout layout{};
  layout.struct_size = PJRT_Buffer_MemoryLayout_STRUCT_SIZE;
  layout.type = PJRT_Buffer_MemoryLayout_Type_Tiled;
  layout.tiled.struct_size = PJRT_Buffer_MemoryLayout_Tiled_STRUCT_SIZE;
  layout.tiled.minor_to_major = minor_to_major.data();
  layout.tiled.minor_to_major_size = rank;
  KEXUE_PJRT_ARGS(PJRT_Buffer_ToHostBuffer, args);
  args.src = raw_;
  args.host_layout = &layout;
  args.dst = out.mutable_data();
  args.dst_size = out.bytes();
  KEXUE_PJRT_CALL(api, PJRT_Buffer_ToHostBuffer, args);
  detail::Event(api, args.event).await("PJRT_Buffer_ToHostBuffer");
  return out;
}

}  // namespace kexue::pjrt
