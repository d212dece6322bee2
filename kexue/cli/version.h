// What was built, and with what.
#pragma once

namespace kexue::cli {

// KEXUE_VERSION comes from project() in the top CMakeLists.txt.
inline constexpr const char* kVersion = KEXUE_VERSION;
inline constexpr const char* kCompiler =
#if defined(__clang__)
    "clang " __clang_version__;
#else
    "g++ " __VERSION__;
#endif

}  // namespace kexue::cli
