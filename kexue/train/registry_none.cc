// A build without SQLite: runs are not registered.
#include "kexue/base/error.h"
#include "kexue/train/registry.h"

namespace kexue::train {

struct Registry::Impl {};

bool has_registry() {
  return false;
}

void require_registry(const std::string& path) {
  throw Error(
      Code::kUnsupported,
      path + ": this build has no SQLite, so it has no registry of runs",
      "install libsqlite3-dev and configure with "
      "-DKEXUE_WITH_SQLITE=ON");
}

Registry::Registry(const std::string& path, Open /*how*/) {
  require_registry(path);
}

Registry::~Registry() = default;

void Registry::put(const RunEntry& /*entry*/) {}

std::vector<RunEntry> Registry::entries() const {
  return {};
}

}  // namespace kexue::train
