// The devices of a plugin, and the way to put data and programs on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/pjrt/buffer.h"
#include "kexue/pjrt/compile_options.h"
#include "kexue/pjrt/executable.h"
#include "kexue/pjrt/plugin.h"

namespace kexue::pjrt {

namespace detail {
struct ClientState;
}  // namespace detail

struct ClientOptions {
  int64_t cpu_device_count = 0;  // only for CPU plugins; 0: the plugin's choice
  std::vector<Attribute> extra = {};  // other create options of the plugin
};

struct Device {
  int64_t id;
  std::string kind;         // "cpu", "NVIDIA H100 80GB HBM3"
  std::string description;  // "CpuDevice(id=0)"
};

struct MemoryStats {
  int64_t bytes_in_use = 0;
  std::optional<int64_t> peak_bytes_in_use;
  std::optional<int64_t> bytes_limit;
  std::optional<int64_t> largest_free_block_bytes;
};

enum class HostSemantics {
  kCopy,      // the device buffer owns its memory and can be donated
  kZeroCopy,  // it may read the array in place; the array is kept alive, and
              // must not change, until the buffer is gone
};

// A handle; copies are the same client. Thread-safe. Buffers and executables
// keep the client alive.
class Client final {
 public:
  // Errors: kDevice with the plugin's text, e.g. for an unknown option.
  static Client create(const Plugin& plugin, const ClientOptions& options = {});

  const Plugin& plugin() const;
  const std::string& platform_name() const;     // "cpu", "cuda", "tpu"
  const std::string& platform_version() const;  // free text
  // The devices that this process can use; `device` arguments index this list.
  const std::vector<Device>& devices() const;
  // Nothing if the plugin does not count.
  std::optional<MemoryStats> memory_stats(size_t device = 0) const;

  Buffer to_device(const HostArray& array,
                   size_t device = 0,
                   HostSemantics semantics = HostSemantics::kCopy) const;

  // `mlir_text`: a StableHLO module in textual or bytecode form.
  Executable compile(std::string_view mlir_text,
                     const CompileOptions& options = {}) const;
  // `bytes` must come from Executable::serialize of the same plugin: verify a
  // checksum first, the plugin does not.
  Executable deserialize(std::span<const std::byte> bytes) const;

 private:
  explicit Client(std::shared_ptr<const detail::ClientState> state)
      : state_(std::move(state)) {}

  std::shared_ptr<const detail::ClientState> state_;
};

}  // namespace kexue::pjrt
