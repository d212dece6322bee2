# Vega, Vega-Lite and Vega-Embed inside the binary, for interactive reports.
# `tools/fetch vega` brings the files; AUTO takes them when they are there.
set(KEXUE_WITH_VEGA AUTO CACHE STRING
  "Charts of reports through Vega: AUTO, ON, OFF")
set_property(CACHE KEXUE_WITH_VEGA PROPERTY STRINGS AUTO ON OFF)

set(KEXUE_VEGA_FILES
  vega.min.js vega.LICENSE vega-lite.min.js vega-lite.LICENSE
  vega-embed.min.js vega-embed.LICENSE)

# Puts the files, or nothing, into the target of kexue/report.
function(kexue_embed_vega target)
  set(folder $ENV{KEXUE_CACHE})
  if(NOT folder)
    set(folder ${PROJECT_SOURCE_DIR}/.cache/kexue)
  endif()
  set(missing "")
  foreach(file ${KEXUE_VEGA_FILES})
    if(NOT EXISTS ${folder}/vega/${file})
      list(APPEND missing ${file})
    endif()
  endforeach()
  set(source ${PROJECT_SOURCE_DIR}/kexue/report)
  if(NOT KEXUE_WITH_VEGA OR (KEXUE_WITH_VEGA STREQUAL "AUTO" AND missing))
    message(STATUS "Reports: plain SVG charts (tools/fetch vega adds Vega)")
    target_sources(${target} PRIVATE ${source}/vega_none.cc)
    return()
  endif()
  if(missing)
    message(FATAL_ERROR
      "KEXUE_WITH_VEGA is ON, but ${folder}/vega lacks ${missing}; "
      "run tools/fetch vega")
  endif()
  # Copies, so that an emptied cache does not break a configured build.
  set(copies "")
  foreach(file ${KEXUE_VEGA_FILES})
    configure_file(${folder}/vega/${file} ${PROJECT_BINARY_DIR}/vega/${file}
      COPYONLY)
    list(APPEND copies ${PROJECT_BINARY_DIR}/vega/${file})
  endforeach()
  message(STATUS "Reports: charts with Vega")
  target_sources(${target} PRIVATE ${source}/vega_files.cc)
  set_source_files_properties(${source}/vega_files.cc PROPERTIES
    OBJECT_DEPENDS "${copies}"
    COMPILE_OPTIONS "-Wa,-I${PROJECT_BINARY_DIR}/vega")
endfunction()
