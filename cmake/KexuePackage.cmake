# Two Debian packages: `cd build/release && cpack -G DEB`.
#
#   kexue           program, manual page, completions; what it is linked with
#                   is found by dpkg-shlibdeps
#   libkexue-dev    headers, static libraries, CMake package; depends on the
#                   packages that tools/apt-packages.txt names for the build
set(CPACK_PACKAGE_NAME kexue)
set(CPACK_PACKAGE_CONTACT "${KEXUE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "train and run Transformers")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)
set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL program development)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME kexue)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION
"One program for fine-tuning, evaluating and applying Transformers.
A whole training step (forward, backward, optimizer) is one XLA program, in
f32, bf16 or fp16, compiled by a PJRT plugin, which is a file of its own:
kexue doctor tells where one is looked for.")

# What an installed kexue-config.cmake looks for.
set(kexue_development_needs "")
file(STRINGS ${PROJECT_SOURCE_DIR}/tools/apt-packages.txt kexue_packages
  REGEX "^build [a-z0-9.+-]+-dev ")
foreach(line ${kexue_packages})
  # Those that only our own sources include, or only the tests.
  if(NOT line MATCHES "libcli11|libeigen3|libgmock|libgtest|jemalloc|protozero")
    string(REGEX REPLACE "^build ([^ ]+) (.*)$" "\\1 (>= \\2)" need "${line}")
    list(APPEND kexue_development_needs "${need}")
  endif()
endforeach()
list(APPEND kexue_development_needs "pkg-config")
list(JOIN kexue_development_needs ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libkexue-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"Library for training and running Transformers (development files).
Headers, static libraries and a CMake package: find_package(kexue) gives
kexue::kexue and one target per folder.")

include(CPack)
