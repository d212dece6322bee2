// What a fuzz target offers to the drivers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kexue/base/error.h"

// Returns 0. Any escaping exception, crash, or more than a second is a finding.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace kexue::fuzz {

// Valid inputs to start from, and words worth inserting.
std::vector<std::string> seeds();
std::vector<std::string> dictionary();

// A broken promise: aborts with the text, so that every driver notices.
void check(bool claim, const char* text);

// What a reader may say of bytes that are not its format.
inline void check_code(const Error& e) {
  check(e.code() == Code::kCorruptData || e.code() == Code::kUnsupported,
        "errors are kCorruptData or kUnsupported");
}

}  // namespace kexue::fuzz
