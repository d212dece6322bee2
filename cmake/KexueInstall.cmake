# find_package(kexue) gives kexue::kexue and one target per folder.
#
# The libraries are static, so a user also links what they are made of: the
# package looks those up as we do. Headers need nothing but C++20.
#
# Components: `program` for those who run it, `development` for those who
# build on it; `cmake --install` takes both.
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
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(EXPORT kexue-targets
  NAMESPACE kexue::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/kexue
  COMPONENT development)

# Private headers stay behind: kexue/cli, detail/, and those that
# tools/check_layers lists because they include a third-party library.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/kexue
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT development
  FILES_MATCHING PATTERN "*.h" PATTERN "*.inc"
  PATTERN "cli" EXCLUDE
  PATTERN "detail" EXCLUDE
  REGEX "/io/json\\.h$" EXCLUDE
  REGEX "/kernels/eigen_support\\.h$" EXCLUDE)
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
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/kexue
  COMPONENT development)

install(TARGETS kexue_program
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)

# Pages of the program (KexuePages.cmake makes them).
set(kexue_pages ${PROJECT_BINARY_DIR}/pages)
find_program(KEXUE_GZIP gzip REQUIRED)
install(CODE "execute_process(
  COMMAND \"${KEXUE_GZIP}\" -9nfk \"${kexue_pages}/kexue.1\"
  COMMAND_ERROR_IS_FATAL ANY)" COMPONENT program)
install(FILES ${kexue_pages}/kexue.1.gz
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
install(FILES ${kexue_pages}/kexue.bash RENAME kexue
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  COMPONENT program)
install(FILES ${kexue_pages}/kexue.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
  COMPONENT program)
# Debian's zsh looks into one folder for packages, into another for the rest.
install(CODE "
  if(CMAKE_INSTALL_PREFIX MATCHES \"(^|/)usr$\")
    set(folder vendor-completions)
  else()
    set(folder site-functions)
  endif()
  file(INSTALL \"${kexue_pages}/kexue.zsh\" RENAME _kexue DESTINATION
    \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/zsh/\${folder}\")"
  COMPONENT program)

set(KEXUE_CONTACT "kexue maintainers <maintainers@kexue.invalid>" CACHE STRING
  "Maintainer field of the Debian packages")
# Licence and notices, beside each of the two.
configure_file(${PROJECT_SOURCE_DIR}/cmake/debian/changelog.in
  ${kexue_pages}/changelog @ONLY)
execute_process(COMMAND ${KEXUE_GZIP} -9nfk ${kexue_pages}/changelog
  COMMAND_ERROR_IS_FATAL ANY)
foreach(pair "program;kexue" "development;libkexue-dev")
  list(GET pair 0 component)
  list(GET pair 1 package)
  install(FILES
    ${PROJECT_SOURCE_DIR}/NOTICE
    ${PROJECT_SOURCE_DIR}/cmake/debian/copyright
    ${kexue_pages}/changelog.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package}
    COMPONENT ${component})
endforeach()
