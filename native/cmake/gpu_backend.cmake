# The one product of an ENC_GPU build: ggml's backend as a library that native/src/backends/dynamic loads. It needs the ggml-base
# of the same package version, which the addon has loaded by then.
set(enc_backend ggml-${ENC_GPU})
set_target_properties(${enc_backend} PROPERTIES EXCLUDE_FROM_ALL OFF LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/out)
if(ENC_GPU STREQUAL "sycl" AND ENC_SYCL_TARGETS)
  target_compile_options(${enc_backend} PRIVATE -fsycl-targets=${ENC_SYCL_TARGETS})
  target_link_options(${enc_backend} PRIVATE -fsycl-targets=${ENC_SYCL_TARGETS})
  if(ENC_SYCL_TARGETS MATCHES "spir64_gen")
    target_link_options(${enc_backend} PRIVATE -Xsycl-target-backend=spir64_gen "-device ${ENC_SYCL_AOT_DEVICE}")
  endif()
endif()
add_custom_target(backend ALL DEPENDS ${enc_backend})
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/artifacts.txt CONTENT "$<TARGET_FILE:${enc_backend}>\n")
