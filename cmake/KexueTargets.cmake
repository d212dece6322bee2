# One target per folder: kexue_library(ops SOURCES a.cc b.cc DEPS base ir).
# PRIVATE names external libraries that no public header of the folder needs.

set(KEXUE_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                   -Wnon-virtual-dtor)
if(KEXUE_WERROR)
  list(APPEND KEXUE_WARNINGS -Werror)
endif()

add_library(kexue_flags INTERFACE)
target_compile_options(kexue_flags INTERFACE ${KEXUE_WARNINGS})
target_include_directories(kexue_flags INTERFACE ${PROJECT_SOURCE_DIR})

# Every folder's target, in the order added: what `kexue::kexue` is made of.
set_property(GLOBAL PROPERTY KEXUE_FOLDERS "")

function(kexue_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE" ${ARGN})
  add_library(kexue_${name} STATIC ${ARG_SOURCES})
  add_library(kexue::${name} ALIAS kexue_${name})
  set_target_properties(kexue_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(kexue_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(kexue_${name} PUBLIC cxx_std_20)
  target_link_libraries(kexue_${name} PRIVATE $<BUILD_INTERFACE:kexue_flags>
    ${ARG_PRIVATE})
  if(KEXUE_VERIFY)
    target_compile_definitions(kexue_${name} PRIVATE KEXUE_VERIFY=1)
  endif()
  foreach(dep ${ARG_DEPS})
    target_link_libraries(kexue_${name} PUBLIC kexue_${dep})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY KEXUE_FOLDERS kexue_${name})
endfunction()

# One test binary per folder: kexue_test(ops SOURCES a_test.cc DEPS ops
# LABELS unit|device|golden|recipe).
# Every test that does not enter a plugin: what the sanitizers run.
add_custom_target(unit_tests)

function(kexue_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_executable(${name}_test ${ARG_SOURCES})
  target_link_libraries(${name}_test PRIVATE kexue_flags kexue_test_support
    GTest::gmock GTest::gtest GTest::gtest_main)
  foreach(dep ${ARG_DEPS})
    target_link_libraries(${name}_test PRIVATE kexue_${dep})
  endforeach()
  target_compile_definitions(${name}_test PRIVATE
    KEXUE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(${name}_test DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 600)
  if(ARG_LABELS STREQUAL "unit")
    add_dependencies(unit_tests ${name}_test)
  endif()
endfunction()
