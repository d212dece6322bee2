# Everything is a Debian package; nothing is downloaded at configure time.
find_package(PkgConfig REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(tomlplusplus CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET GLOBAL libxxhash)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET GLOBAL libutf8proc)

# Fast CPU kernels: without these every fused op runs its composition.
option(KEXUE_WITH_ONEDNN "CPU kernels through oneDNN" ON)
if(KEXUE_WITH_ONEDNN)
  # Debian's dnnl-config.cmake demands the OpenCL headers; the library alone
  # does not.
  find_path(KEXUE_DNNL_INCLUDE dnnl.hpp REQUIRED)
  find_library(KEXUE_DNNL_LIBRARY dnnl REQUIRED)
  add_library(kexue_dnnl INTERFACE IMPORTED GLOBAL)
  set_target_properties(kexue_dnnl PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES ${KEXUE_DNNL_INCLUDE}
    INTERFACE_LINK_LIBRARIES ${KEXUE_DNNL_LIBRARY})
  find_package(OpenMP REQUIRED COMPONENTS CXX)
endif()

if(KEXUE_BUILD_TESTS)
  find_package(GTest CONFIG REQUIRED)
  include(GoogleTest)
endif()
if(KEXUE_BUILD_BENCHMARKS)
  find_package(benchmark CONFIG REQUIRED)
endif()
