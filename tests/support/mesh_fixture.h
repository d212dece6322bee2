// A session with four CPU devices, in a binary of its own: the number is fixed
// when the client is made.
#pragma once

#include "tests/support/session_fixture.h"

namespace kexue::testing {

class MeshTest : public SessionTest {
 protected:
  void SetUp() override {
    SessionTest::SetUp();
    if (IsSkipped()) return;
    if (session().client().devices().size() < 4) {
      GTEST_SKIP() << "the plugin has fewer than 4 devices";
    }
  }
  static const runtime::Session& session() {
    static const runtime::Session shared(
        {.plugin = plugin_path(), .device_count = 4});
    return shared;
  }
};

}  // namespace kexue::testing
