// One client for all tests of this folder; they skip if there is no plugin.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "kexue/base/error.h"
#include "kexue/pjrt/client.h"

namespace kexue::pjrt::testing {

// The plugin of the environment, else of this source tree's cache.
inline std::string plugin_path() {
  if (std::getenv("KEXUE_PLUGIN") == nullptr) {
    ::setenv("KEXUE_CACHE", KEXUE_SOURCE_DIR "/.cache/kexue", 0);
  }
  try {
    return find_plugin().string();
  } catch (const Error&) {
    return "";
  }
}

class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static const std::string path = plugin_path();
    if (path.empty()) {
      GTEST_SKIP() << "no PJRT plugin: set KEXUE_PLUGIN or KEXUE_CACHE";
    }
    static const Client shared = Client::create(Plugin::load(path));
    client_ = shared;
  }
  const Client& client() const { return *client_; }

 private:
  std::optional<Client> client_;
};

// y = x + x over `type`, e.g. "4xf32"; the argument is donated if asked.
inline std::string doubling(const std::string& type, bool donate = false) {
  const std::string t = "tensor<" + type + ">";
  return "func.func public @main(%x: " + t +
         (donate ? " {tf.aliasing_output = 0 : i32}" : "") + ") -> " + t +
         " {\n  %y = stablehlo.add %x, %x : " + t + "\n  return %y : " + t +
         "\n}\n";
}

inline std::vector<Buffer> run(const Executable& program,
                               const Buffer& argument,
                               const ExecuteOptions& options = {}) {
  const Buffer* args[] = {&argument};
  return program.execute(args, options);
}

}  // namespace kexue::pjrt::testing
