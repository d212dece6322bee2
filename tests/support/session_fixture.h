// One session for all tests of a binary; they skip if there is no plugin.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "kexue/base/error.h"
#include "kexue/pjrt/plugin.h"
#include "kexue/runtime/session.h"

namespace kexue::testing {

// The plugin of the environment, else of this source tree's cache; "" if there
// is none.
inline std::string plugin_path() {
  if (std::getenv("KEXUE_PLUGIN") == nullptr) {
    ::setenv("KEXUE_CACHE", KEXUE_SOURCE_DIR "/.cache/kexue", 0);
  }
  try {
    return pjrt::find_plugin().string();
  } catch (const Error&) {
    return "";
  }
}

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static const std::string path = plugin_path();
    if (path.empty()) {
      GTEST_SKIP() << "no PJRT plugin: set KEXUE_PLUGIN or KEXUE_CACHE";
    }
  }
  // Only where SetUp() did not skip.
  static const runtime::Session& session() {
    static const runtime::Session shared;
    return shared;
  }
};

}  // namespace kexue::testing
