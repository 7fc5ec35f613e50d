# Where the pinned third-party sources come from: ggml (tensor library), nlohmann/json (JSON parser) and Node's headers.
# A checkout has them as development packages, a published package as one archive (scripts/vendor.mjs).

set(enc_packages ${CMAKE_SOURCE_DIR}/node_modules)
set(enc_archive ${CMAKE_SOURCE_DIR}/native/third_party.tar.xz)
if(EXISTS ${enc_packages}/nodejs-whisper/cpp/whisper.cpp/ggml/CMakeLists.txt)
  set(enc_ggml_dir ${enc_packages}/nodejs-whisper/cpp/whisper.cpp/ggml)
  set(enc_json_dir ${enc_packages}/nodejs-whisper/cpp/whisper.cpp/examples)
  set(enc_node_include_dirs ${enc_packages}/node-api-headers/include ${enc_packages}/node-addon-api)
  set(enc_node_definitions ${enc_packages}/node-api-headers/def/node_api.def)
elseif(EXISTS ${enc_archive})
  set(enc_unpacked ${CMAKE_BINARY_DIR}/third_party)
  file(ARCHIVE_EXTRACT INPUT ${enc_archive} DESTINATION ${enc_unpacked})
  set(enc_ggml_dir ${enc_unpacked}/ggml)
  set(enc_json_dir ${enc_unpacked}/json)
  set(enc_node_include_dirs ${enc_unpacked}/node-api-headers/include ${enc_unpacked}/node-addon-api)
  set(enc_node_definitions ${enc_unpacked}/node-api-headers/def/node_api.def)
else()
  message(FATAL_ERROR "The third-party sources were not found: run `npm ci` in this checkout")
endif()
if(GGML_SOURCE_DIR)
  set(enc_ggml_dir ${GGML_SOURCE_DIR})
endif()
file(REAL_PATH ${enc_ggml_dir} enc_ggml_dir)

add_library(enc_json INTERFACE)
target_include_directories(enc_json SYSTEM INTERFACE ${enc_json_dir})

# Our own kernels carry the hot path and choose their instructions at load, so ggml's CPU backend is built once, for any
# CPU with AVX2 (on ARM: for the baseline), instead of once per CPU generation.
set(BUILD_SHARED_LIBS ON)
set(GGML_NATIVE OFF CACHE BOOL "" FORCE)
set(GGML_OPENMP OFF CACHE BOOL "" FORCE)      # libgomp is missing on slim images
set(GGML_LLAMAFILE OFF CACHE BOOL "" FORCE)   # its results depend on the batch
set(GGML_CPU_REPACK OFF CACHE BOOL "" FORCE)  # likewise
set(GGML_ALL_WARNINGS OFF CACHE BOOL "" FORCE)
set(GGML_CCACHE OFF CACHE BOOL "" FORCE)
set(GGML_BUILD_TESTS OFF CACHE BOOL "" FORCE)
set(GGML_BUILD_EXAMPLES OFF CACHE BOOL "" FORCE)
set(GGML_METAL OFF CACHE BOOL "" FORCE)       # on by default on macOS, as are the next two
set(GGML_BLAS OFF CACHE BOOL "" FORCE)
set(GGML_ACCELERATE OFF CACHE BOOL "" FORCE)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  foreach(feature SSE42 AVX AVX2 FMA F16C BMI2)
    set(GGML_${feature} ON CACHE BOOL "" FORCE)
  endforeach()
endif()
if(ENC_GPU)
  include(${CMAKE_CURRENT_LIST_DIR}/gpu_options.cmake)
endif()
add_subdirectory(${enc_ggml_dir} ${CMAKE_BINARY_DIR}/ggml EXCLUDE_FROM_ALL)
unset(BUILD_SHARED_LIBS)

# ggml.cpp holds only a process-wide terminate handler, which outlives the library and is not ours to install.
get_target_property(enc_ggml_sources ggml-base SOURCES)
list(FILTER enc_ggml_sources EXCLUDE REGEX "(^|/)ggml\\.cpp$")
set_property(TARGET ggml-base PROPERTY SOURCES ${enc_ggml_sources})
set(enc_ggml_libraries ggml-base)
if(ENC_GPU)
  list(APPEND enc_ggml_libraries ggml-${ENC_GPU})
else()
  list(APPEND enc_ggml_libraries ggml-cpu)
endif()
# support/ggml_guard throws through C frames.
foreach(library ${enc_ggml_libraries})
  target_compile_options(${library} PRIVATE $<$<COMPILE_LANGUAGE:C>:-fexceptions>)
endforeach()

if(APPLE)
  # macOS merges what several libraries export of C++'s inline functions and operators, whatever versions they are of.
  foreach(library ${enc_ggml_libraries})
    target_link_options(${library} PRIVATE LINKER:-unexported_symbol,__Z*)
  endforeach()
endif()

if(MINGW)
  # For Windows 8 and later ggml-cpu uses a structure that MinGW's headers had not before version 11.
  target_compile_definitions(ggml-cpu PRIVATE _WIN32_WINNT=0x0601)
endif()

# ggml uses the results of many small allocations unseen; ours never come back empty (native/ggml_hooks).
if((UNIX AND NOT APPLE) OR MINGW)
  target_sources(ggml-base PRIVATE ${CMAKE_SOURCE_DIR}/native/ggml_hooks/checked_alloc.c)
  foreach(function malloc calloc realloc posix_memalign)
    target_link_options(ggml-base PRIVATE -Wl,--wrap=${function})
  endforeach()
endif()

# glibc reuses a loaded library by its soname: a private one keeps another package's ggml, or another version of this
# package, from being taken for ours in the same process.
file(READ ${CMAKE_SOURCE_DIR}/package.json enc_package_json)
string(JSON enc_version GET ${enc_package_json} version)
foreach(library ${enc_ggml_libraries})
  set_target_properties(${library} PROPERTIES OUTPUT_NAME ggml-encoder-${enc_version}-${library})
endforeach()
add_library(enc_ggml INTERFACE)
target_link_libraries(enc_ggml INTERFACE ${enc_ggml_libraries})
target_include_directories(enc_ggml SYSTEM INTERFACE ${enc_ggml_dir}/include)
