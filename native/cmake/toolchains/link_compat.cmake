# Puts what a C library lacks into everything that is linked. The object is named after its source and flags, so that a build
# folder links again when either changes; CMake keeps what a toolchain says about linking from a folder's first configuration.
function(enc_link_compat source)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(SHA256 ${source} content)
  string(SHA256 name "${content} ${CMAKE_C_COMPILER} ${ARGN}")
  string(SUBSTRING ${name} 0 16 name)
  get_filename_component(stem ${source} NAME_WE)
  set(object ${CMAKE_BINARY_DIR}/${stem}-${name}.o)
  if(NOT EXISTS ${object})
    execute_process(COMMAND ${CMAKE_C_COMPILER} -O2 -fPIC ${ARGN} -c ${source} -o ${object} COMMAND_ERROR_IS_FATAL ANY)
  endif()
  add_link_options(${object})
endfunction()
