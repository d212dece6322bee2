// A build without SQLite: runs are not registered.
#include "kexue/base/error.h"
#include "kexue/train/registry.h"

namespace kexue::train {

struct Registry::Impl {};

bool has_registry() {
  return false;
}

Registry::Registry(const std::string& path, Open /*how*/) {
  throw Error(Code::kUnsupported,
              path + ": this build has no SQLite",
              "install libsqlite3-dev and configure again");
}

Registry::~Registry() = default;

void Registry::put(const RunEntry& /*entry*/) {}

std::vector<RunEntry> Registry::entries() const {
  return {};
}

}  // namespace kexue::train
