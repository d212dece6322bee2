// A tensor whose parts lie on several devices.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/base/sharding.h"
#include "kexue/pjrt/buffer.h"
#include "kexue/pjrt/client.h"

namespace kexue::runtime {

using DeviceArray = pjrt::Buffer;
using kexue::Mesh;
using kexue::Sharding;

// A whole tensor's type, and what each device of a mesh holds of it. Without a
// mesh the first device holds everything.
struct Placement {
  TensorType type;
  Mesh mesh = {};
  Sharding sharding = {};

  // Errors: as Sharding::check.
  TensorType local() const;
  bool operator==(const Placement&) const = default;
  // "f32[8,4] as [{data}, {}] on data=2,model=2"
  std::string str() const;
};

// One buffer a device, in the order of the mesh. Movable only.
class ShardedArray final {
 public:
  ShardedArray() = default;
  ShardedArray(std::shared_ptr<const Placement> placement,
               std::vector<DeviceArray> shards);

  // Cuts `array` and uploads each device's part.
  // Errors: as Sharding::check; kInvalidArgument if the client has too few
  //         devices; kDevice.
  static ShardedArray upload(const pjrt::Client& client,
                             const HostArray& array,
                             std::shared_ptr<const Placement> placement);
  // Puts the parts together; of equal parts the first device's is read.
  // Errors: kInvalidArgument if donated or deleted, kDevice.
  HostArray to_host() const;

  const Placement& placement() const { return *placement_; }
  std::span<const DeviceArray> shards() const { return shards_; }
  bool is_deleted() const;  // any part
  // What the first device holds; all hold as much.
  size_t bytes_per_device() const { return shards_.at(0).bytes(); }

 private:
  std::shared_ptr<const Placement> placement_;
  std::vector<DeviceArray> shards_;
};

// Throws kInvalidArgument with got, wanted and what to do.
void require_devices(const pjrt::Client& client, const Mesh& mesh);

}  // namespace kexue::runtime
