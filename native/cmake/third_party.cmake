# Where the pinned third-party sources come from: ggml (tensor library) and nlohmann/json (JSON parser).
# Order: GGML_SOURCE_DIR, then native/ggml (copied in when the npm package is made), then the pinned npm package.

set(enc_whisper_dir ${CMAKE_SOURCE_DIR}/node_modules/nodejs-whisper/cpp/whisper.cpp)
if(GGML_SOURCE_DIR)
  file(REAL_PATH ${GGML_SOURCE_DIR} enc_ggml_dir)
elseif(EXISTS ${CMAKE_SOURCE_DIR}/native/ggml/CMakeLists.txt)
  set(enc_ggml_dir ${CMAKE_SOURCE_DIR}/native/ggml)
elseif(EXISTS ${enc_whisper_dir}/ggml/CMakeLists.txt)
  file(REAL_PATH ${enc_whisper_dir}/ggml enc_ggml_dir)
else()
  message(FATAL_ERROR "ggml's sources were not found: run `npm ci`, or pass -DGGML_SOURCE_DIR=<a ggml checkout>")
endif()

if(EXISTS ${CMAKE_SOURCE_DIR}/native/ggml/json.hpp)
  set(enc_json_dir ${CMAKE_SOURCE_DIR}/native/ggml)
else()
  set(enc_json_dir ${enc_whisper_dir}/examples)
endif()
add_library(enc_json INTERFACE)
target_include_directories(enc_json SYSTEM INTERFACE ${enc_json_dir})

# Our own kernels carry the x86 hot path and choose their instructions at load, so ggml's CPU backend is built once,
# for any CPU with AVX2, instead of once per CPU generation.
set(BUILD_SHARED_LIBS ON)
set(GGML_NATIVE OFF CACHE BOOL "" FORCE)
set(GGML_OPENMP OFF CACHE BOOL "" FORCE)      # libgomp is missing on slim images
set(GGML_LLAMAFILE OFF CACHE BOOL "" FORCE)   # its results depend on the batch
set(GGML_CPU_REPACK OFF CACHE BOOL "" FORCE)  # likewise
set(GGML_ALL_WARNINGS OFF CACHE BOOL "" FORCE)
set(GGML_CCACHE OFF CACHE BOOL "" FORCE)
set(GGML_BUILD_TESTS OFF CACHE BOOL "" FORCE)
set(GGML_BUILD_EXAMPLES OFF CACHE BOOL "" FORCE)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  foreach(feature SSE42 AVX AVX2 FMA F16C BMI2)
    set(GGML_${feature} ON CACHE BOOL "" FORCE)
  endforeach()
endif()
add_subdirectory(${enc_ggml_dir} ${CMAKE_BINARY_DIR}/ggml EXCLUDE_FROM_ALL)
unset(BUILD_SHARED_LIBS)

# ggml.cpp holds only a process-wide terminate handler, which outlives the library and is not ours to install.
get_target_property(enc_ggml_sources ggml-base SOURCES)
list(FILTER enc_ggml_sources EXCLUDE REGEX "(^|/)ggml\\.cpp$")
set_property(TARGET ggml-base PROPERTY SOURCES ${enc_ggml_sources})
if(NOT MSVC)
  # support/ggml_guard throws through C frames.
  target_compile_options(ggml-base PRIVATE $<$<COMPILE_LANGUAGE:C>:-fexceptions>)
  target_compile_options(ggml-cpu PRIVATE $<$<COMPILE_LANGUAGE:C>:-fexceptions>)
endif()

# ggml uses the results of many small allocations unseen; ours never come back empty (native/ggml_hooks).
if(UNIX AND NOT APPLE)
  target_sources(ggml-base PRIVATE ${CMAKE_SOURCE_DIR}/native/ggml_hooks/checked_alloc.c)
  foreach(function malloc calloc realloc posix_memalign)
    target_link_options(ggml-base PRIVATE -Wl,--wrap=${function})
  endforeach()
endif()

# glibc reuses a loaded library by its soname: a private one keeps another package's ggml, or another version of this
# package, from being taken for ours in the same process.
file(READ ${CMAKE_SOURCE_DIR}/package.json enc_package_json)
string(JSON enc_version GET ${enc_package_json} version)
foreach(library ggml-base ggml-cpu)
  set_target_properties(${library} PROPERTIES OUTPUT_NAME ggml-encoder-${enc_version}-${library})
endforeach()
add_library(enc_ggml INTERFACE)
target_link_libraries(enc_ggml INTERFACE ggml-base ggml-cpu)
target_include_directories(enc_ggml SYSTEM INTERFACE ${enc_ggml_dir}/include)
