// Private to kexue/pjrt: the PJRT and FFI C headers.
#pragma once

// PJRT_Api names its members like their types, which g++ takes only with
// -fpermissive (see CMakeLists.txt) and, outside system headers, warns of.
#pragma GCC system_header
#include "third_party/pjrt/pjrt_c_api.h"
#include "third_party/xla_ffi/c_api.h"
