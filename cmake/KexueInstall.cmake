# find_package(kexue) gives kexue::kexue and one target per folder.
#
# The libraries are static, so a user also links what they are made of: the
# package looks those up as we do. Headers need nothing but C++20.
include(CMakePackageConfigHelpers)

get_property(folders GLOBAL PROPERTY KEXUE_FOLDERS)
# The program's own folder prints and exits: no part of a library.
list(REMOVE_ITEM folders kexue_cli)

add_library(kexue_all INTERFACE)
add_library(kexue::kexue ALIAS kexue_all)
set_target_properties(kexue_all PROPERTIES EXPORT_NAME kexue)
target_link_libraries(kexue_all INTERFACE ${folders})

install(TARGETS kexue_all ${folders}
  EXPORT kexue-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT kexue-targets
  NAMESPACE kexue::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/kexue)

# Private headers stay behind: kexue/cli, detail/, and those that
# tools/check_layers lists because they include a third-party library.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/kexue
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.inc"
  PATTERN "cli" EXCLUDE
  PATTERN "detail" EXCLUDE
  REGEX "/io/json\\.h$" EXCLUDE
  REGEX "/kernels/eigen_support\\.h$" EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/NOTICE
  DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/kexue-config.cmake.in
  ${PROJECT_BINARY_DIR}/kexue-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/kexue)
# 0.x: a minor version may change the API.
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/kexue-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/kexue-config.cmake
  ${PROJECT_BINARY_DIR}/kexue-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/kexue)

# The program, once its folder exists.
if(TARGET kexue_program)
  install(TARGETS kexue_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
