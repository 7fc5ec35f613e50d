# ggml's options when one of its GPU backends is built as a library to be loaded at run time.
if(NOT ENC_GPU MATCHES "^(cuda|sycl|vulkan)$")
  message(FATAL_ERROR "ENC_GPU is '${ENC_GPU}'; it may be cuda, sycl or vulkan")
endif()
set(GGML_BACKEND_DL ON CACHE BOOL "" FORCE)
set(GGML_CPU OFF CACHE BOOL "" FORCE)

if(ENC_GPU STREQUAL "cuda")
  find_package(CUDAToolkit)
  if(NOT CUDAToolkit_FOUND)
    message(FATAL_ERROR "The CUDA backend needs the CUDA toolkit, and no nvcc was found. Install it, or name its compiler with "
      "-DCMAKE_CUDA_COMPILER=/usr/local/cuda/bin/nvcc.")
  endif()
  if(NOT TARGET CUDA::cublas)
    message(FATAL_ERROR "CUDA ${CUDAToolkit_VERSION} was found in ${CUDAToolkit_BIN_DIR}, but not cuBLAS. Install its development "
      "files (Debian, Ubuntu: libcublas-dev-${CUDAToolkit_VERSION_MAJOR}-${CUDAToolkit_VERSION_MINOR}), or name the library "
      "with -DCUDA_cublas_LIBRARY=<libcublas.so>.")
  endif()
  set(GGML_CUDA ON CACHE BOOL "" FORCE)
  set(GGML_CUDA_FA OFF CACHE BOOL "" FORCE)      # the graph has no flash-attention node; its kernels are most of the size
  set(GGML_CUDA_NO_VMM ON CACHE BOOL "" FORCE)   # no link to libcuda.so.1: a missing driver is reported, not a failed dlopen
  set(GGML_CUDA_GRAPHS ON CACHE BOOL "" FORCE)   # off by default: batches of one shape in a row are launched as one
  set(GGML_CUDA_NCCL OFF CACHE BOOL "" FORCE)    # one GPU a model
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    # Code for each generation of tensor cores, PTX of the newest for what comes after. CUDA 13 has no Volta (70) any more.
    set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90-real)
    if(CUDAToolkit_VERSION VERSION_LESS 13)
      list(PREPEND CMAKE_CUDA_ARCHITECTURES 70-real)
    endif()
    if(CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12.8)
      list(APPEND CMAKE_CUDA_ARCHITECTURES 100-real 120a-real)
    endif()
    list(APPEND CMAKE_CUDA_ARCHITECTURES 90-virtual)
  endif()
elseif(ENC_GPU STREQUAL "sycl")
  set(GGML_SYCL ON CACHE BOOL "" FORCE)
  set(GGML_SYCL_F16 ON CACHE BOOL "" FORCE)
  # Code for Data Center GPU Max ahead of time, SPIR-V for every other Intel GPU, compiled by its driver at the first run.
  set(ENC_SYCL_TARGETS "spir64_gen,spir64" CACHE STRING "As in icpx -fsycl-targets=")
  set(ENC_SYCL_AOT_DEVICE "pvc" CACHE STRING "The device that spir64_gen compiles for, as in ocloc -device")
else()
  find_package(Vulkan COMPONENTS glslc)
  find_package(SPIRV-Headers CONFIG)
  if(NOT Vulkan_FOUND OR NOT SPIRV-Headers_FOUND)
    message(FATAL_ERROR "The Vulkan backend needs Vulkan's headers and loader, SPIR-V's headers and the shader compiler glslc. "
      "Install them (Debian, Ubuntu: libvulkan-dev spirv-headers glslc), or the Vulkan SDK and name its folder in VULKAN_SDK.")
  endif()
  file(STRINGS ${Vulkan_INCLUDE_DIR}/vulkan/vulkan_core.h enc_layer_settings REGEX VK_EXT_layer_settings)
  if(NOT enc_layer_settings)
    message(FATAL_ERROR "Vulkan's headers in ${Vulkan_INCLUDE_DIR} are too old: they lack VK_EXT_layer_settings. Those of Debian 13 "
      "and of the current Vulkan SDK have it; name their folder with -DVulkan_INCLUDE_DIR=<folder>.")
  endif()
  set(GGML_VULKAN ON CACHE BOOL "" FORCE)
endif()
