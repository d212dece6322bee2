# Everything is a Debian package; nothing is downloaded at configure time.
find_package(PkgConfig REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(tomlplusplus CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(Threads REQUIRED)
find_path(KEXUE_EIGEN_INCLUDE Eigen/Core PATH_SUFFIXES eigen3 REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET GLOBAL libxxhash)
pkg_check_modules(gmpxx REQUIRED IMPORTED_TARGET GLOBAL gmpxx)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET GLOBAL libutf8proc)
find_package(ZLIB REQUIRED)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET GLOBAL libzstd)

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

# The programs' heap (kexue/cli/allocator.cc says why); libraries do not care.
option(KEXUE_WITH_JEMALLOC "jemalloc as the programs' heap" ON)
if(KEXUE_WITH_JEMALLOC)
  find_library(KEXUE_JEMALLOC_LIBRARY jemalloc REQUIRED)
endif()
function(kexue_use_allocator target)
  # Sanitizers bring a heap of their own.
  if(KEXUE_WITH_JEMALLOC AND NOT CMAKE_CXX_FLAGS MATCHES "fsanitize")
    target_sources(${target} PRIVATE
      ${PROJECT_SOURCE_DIR}/kexue/cli/allocator.cc)
    target_link_libraries(${target} PRIVATE
      -Wl,--no-as-needed ${KEXUE_JEMALLOC_LIBRARY} -Wl,--as-needed)
  endif()
endfunction()

# What only some commands need: AUTO takes it when it is there.
set(KEXUE_WITH_PNG AUTO CACHE STRING "Images as PNG: AUTO, ON, OFF")
set_property(CACHE KEXUE_WITH_PNG PROPERTY STRINGS AUTO ON OFF)
if(KEXUE_WITH_PNG STREQUAL "AUTO")
  find_package(PNG QUIET)
  set(KEXUE_WITH_PNG OFF)
  if(PNG_FOUND)
    set(KEXUE_WITH_PNG ON)
  endif()
elseif(KEXUE_WITH_PNG)
  find_package(PNG REQUIRED)
endif()

set(KEXUE_WITH_SQLITE AUTO CACHE STRING "Registry of runs: AUTO, ON, OFF")
set_property(CACHE KEXUE_WITH_SQLITE PROPERTY STRINGS AUTO ON OFF)
if(KEXUE_WITH_SQLITE STREQUAL "AUTO")
  find_package(SQLite3 3.37 QUIET)
  set(KEXUE_WITH_SQLITE OFF)
  if(SQLite3_FOUND)
    set(KEXUE_WITH_SQLITE ON)
  endif()
elseif(KEXUE_WITH_SQLITE)
  find_package(SQLite3 3.37 REQUIRED)
endif()

if(KEXUE_BUILD_TESTS)
  find_package(GTest CONFIG REQUIRED)
  include(GoogleTest)
endif()
if(KEXUE_BUILD_BENCHMARKS)
  find_package(benchmark CONFIG REQUIRED)
endif()
