# Makes Intel's oneAPI DPC++ compiler the compiler of this build, or says what to install.
find_program(ENC_ICPX icpx PATHS $ENV{ONEAPI_ROOT}/compiler/latest/bin /opt/intel/oneapi/compiler/latest/bin)
if(NOT ENC_ICPX)
  message(FATAL_ERROR
    "The SYCL backend needs Intel's oneAPI DPC++ compiler (icpx), which was not found. Install the oneAPI Base Toolkit "
    "(compiler and oneMKL), run `source /opt/intel/oneapi/setvars.sh` in this shell, and configure again in an empty "
    "build folder.")
endif()
get_filename_component(enc_oneapi_bin ${ENC_ICPX} DIRECTORY)
set(CMAKE_CXX_COMPILER ${ENC_ICPX})
if(EXISTS ${enc_oneapi_bin}/icx)
  set(CMAKE_C_COMPILER ${enc_oneapi_bin}/icx)
endif()
