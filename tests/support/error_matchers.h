// Tests name the error: code and a part of the text. There is no "any error".
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "kexue/base/error.h"

namespace kexue::testing {

// Succeeds if f throws Error with this code and every part in its what().
::testing::AssertionResult throws(const std::function<void()>& f,
                                  Code code,
                                  const std::vector<std::string>& parts);

}  // namespace kexue::testing

#define EXPECT_ERROR(statement, code, ...) \
  EXPECT_TRUE(                             \
      ::kexue::testing::throws([&] { statement; }, (code), {__VA_ARGS__}))
