// A compiled program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kexue/base/shape.h"
#include "kexue/pjrt/buffer.h"

namespace kexue::pjrt {

namespace detail {
struct ExecutableState;
}  // namespace detail

// Bytes that one run of a program takes, as its compiler planned them.
struct ProgramMemory {
  int64_t arguments = 0;
  int64_t outputs = 0;
  int64_t aliased = 0;  // outputs that take over an argument
  int64_t temporary = 0;
  int64_t code = 0;

  int64_t total() const { return arguments + outputs - aliased + temporary; }
};

struct ExecuteOptions {
  // Names this execution among those of a multi-device launch; 0: none.
  int launch_id = 0;
  // Arguments that must survive although the program could take them over.
  std::span<const int64_t> non_donatable = {};
  // Wait until the program has run. Without it the outputs are promises, and
  // an error shows in their await() and to_host().
  bool await = true;
};

// Made by Client::compile and Client::deserialize; keeps its client alive.
// execute() may be called from several threads at once.
class Executable final {
 public:
  explicit Executable(std::unique_ptr<detail::ExecutableState> state);
  ~Executable();
  Executable(Executable&&) noexcept;
  Executable& operator=(Executable&&) noexcept;

  // Runs the program. With d = num_devices() > 1, `args` holds all arguments
  // for the first device, then all for the second, ...; so do the outputs.
  // An argument marked `tf.aliasing_output` in the program is donated: its
  // Buffer reads as deleted afterwards, unless listed in non_donatable. Only
  // buffers that own their memory are really reused (HostSemantics::kCopy, or
  // outputs of programs).
  //
  // Errors: kInvalidArgument (empty or foreign buffers; types that differ from
  //         expect_parameters), kDevice with the plugin's text otherwise.
  std::vector<Buffer> execute(std::span<const Buffer* const> args,
                              const ExecuteOptions& options = {}) const;

  // Lets execute() compare each argument's type first. The plugin itself only
  // compares sizes in bytes: without this, i32 runs as f32.
  void expect_parameters(std::vector<TensorType> types);

  const std::vector<TensorType>& output_types() const;  // of one device
  size_t num_devices() const;

  // Of one device. Errors: kUnsupported if the plugin does not tell.
  ProgramMemory memory() const;

  // Bytes for Client::deserialize with the same plugin file and the same kind
  // of machine. Trap: the CPU plugin 0.11.2 aborts the process here if the
  // program holds its own oneDNN custom calls (flag xla_cpu_use_onednn); our
  // FFI calls are fine.
  std::vector<std::byte> serialize() const;

 private:
  std::unique_ptr<detail::ExecutableState> state_;
};

}  // namespace kexue::pjrt
