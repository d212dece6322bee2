// A tensor in the memory of a device.
#pragma once

#include <cstddef>
#include <memory>

#include "kexue/base/host_array.h"
#include "kexue/base/shape.h"

struct PJRT_Buffer;

namespace kexue::pjrt {

namespace detail {
struct BufferHome;
}  // namespace detail

// Owns the device memory, and keeps its client alive. Made by
// Client::to_device and Executable::execute; a default-made or moved-from
// Buffer is empty and only good for assignment. Computed values may still be on
// their way: to_host() and await() wait for them.
class Buffer final {
 public:
  Buffer() = default;
  Buffer(std::shared_ptr<const detail::BufferHome> home,
         const TensorType* type,
         PJRT_Buffer* raw)
      : home_(std::move(home)), type_(type), raw_(raw) {}
  ~Buffer() { reset(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept
      : home_(std::move(other.home_)), type_(other.type_), raw_(other.raw_) {
    other.raw_ = nullptr;
  }
  Buffer& operator=(Buffer&& other) noexcept;

  bool empty() const { return raw_ == nullptr; }
  // kInternal if empty.
  const TensorType& type() const;
  size_t bytes() const { return static_cast<size_t>(type().bytes()); }

  // Empty, deleted, or donated to a program that has taken it over.
  bool is_deleted() const;
  // Blocks until the value is there; the error of the program that should have
  // made it is thrown here (kDevice).
  void await() const;
  // A row-major copy. Errors: kInvalidArgument if deleted or donated, kDevice.
  HostArray to_host() const;
  // Frees the device memory now (after the programs that still read it).
  void reset() noexcept;

  // For Executable.
  PJRT_Buffer* raw() const { return raw_; }
  const detail::BufferHome* home() const { return home_.get(); }

 private:
  std::shared_ptr<const detail::BufferHome> home_;
  const TensorType* type_ = nullptr;  // in *home_
  PJRT_Buffer* raw_ = nullptr;
};

}  // namespace kexue::pjrt
