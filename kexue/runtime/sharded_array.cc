#include "kexue/runtime/sharded_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kexue/base/error.h"

namespace kexue::runtime {

TensorType Placement::local() const {
  return {type.dtype, sharding.local(mesh, type.shape)};
}

std::string Placement::str() const {
  if (mesh.devices() == 1) return type.str();
  return fmt::format("{} as {} on {}", type.str(), sharding.str(), mesh.str());
}

void require_devices(const pjrt::Client& client, const Mesh& mesh) {
  const size_t have = client.devices().size();
  if (mesh.devices() <= have) return;
  throw Error(Code::kInvalidArgument,
              fmt::format("mesh {} wants {} devices, the plugin ({}) has {}",
                          mesh.str(),
                          mesh.devices(),
                          client.platform_name(),
                          have),
              client.platform_name() == "cpu"
                  ? fmt::format("a CPU plugin shows as many as asked for: open "
                                "the session with device_count = {}",
                                mesh.devices())
                  : "make the mesh smaller");
}

ShardedArray::ShardedArray(std::shared_ptr<const Placement> placement,
                           std::vector<DeviceArray> shards)
    : placement_(std::move(placement)), shards_(std::move(shards)) {
  if (shards_.size() != placement_->mesh.devices()) {
    throw Error(
        Code::kInternal,
        fmt::format("{} parts of {}", shards_.size(), placement_->str()));
  }
}

ShardedArray ShardedArray::upload(const pjrt::Client& client,
                                  const HostArray& array,
                                  std::shared_ptr<const Placement> placement) {
  const Placement& p = *placement;
  if (array.type() != p.type) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format(
            "upload: wanted {}, got {}", p.type.str(), array.type().str()));
  }
  require_devices(client, p.mesh);
  const Shape& whole = p.type.shape;
  const Shape local = p.local().shape;
  std::vector<DeviceArray> shards;
  for (size_t d = 0; d < p.mesh.devices(); ++d) {
    const bool cut = local != whole;
    shards.push_back(client.to_device(
        cut ? copy_block(array, p.sharding.start(p.mesh, whole, d), local)
            : array,
        d));
  }
  return {std::move(placement), std::move(shards)};
}

HostArray ShardedArray::to_host() const {
  const Placement& p = *placement_;
  const Shape& whole = p.type.shape;
  if (p.local().shape == whole) return shards_.at(0).to_host();
  HostArray out(p.type);
  std::set<std::vector<int64_t>> done;
  for (size_t d = 0; d < shards_.size(); ++d) {
    const auto start = p.sharding.start(p.mesh, whole, d);
    if (!done.insert(start).second) continue;
    paste_block(shards_[d].to_host(), start, out);
  }
  return out;
}

bool ShardedArray::is_deleted() const {
  return std::any_of(shards_.begin(), shards_.end(), [](const auto& s) {
    return s.is_deleted();
  });
}

}  // namespace kexue::runtime
