# GCC of this system against the C library of an older Debian (ENC_SYSROOT, see scripts/make-sysroot.sh), so that the
# binaries load wherever that C library or a newer one is. The C++ library goes in statically: it is this system's, and
# newer than the ones of the systems we want to run on. ENC_CROSS=<machine>- takes Debian's cross compiler for another machine.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ENC_SYSROOT ENC_CROSS)
set(CMAKE_SYSROOT ${ENC_SYSROOT})
set(CMAKE_C_COMPILER ${ENC_CROSS}gcc)
set(CMAKE_CXX_COMPILER ${ENC_CROSS}g++)
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -dumpversion OUTPUT_VARIABLE enc_gcc OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -dumpmachine OUTPUT_VARIABLE enc_machine OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(ENC_CROSS)
  set(CMAKE_SYSTEM_NAME Linux)
  string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR ${enc_machine})
  set(enc_cxx /usr/${enc_machine}/include/c++/${enc_gcc})
  set(enc_cxx_machine ${enc_cxx}/${enc_machine})
else()
  set(enc_cxx /usr/include/c++/${enc_gcc})
  set(enc_cxx_machine /usr/include/${enc_machine}/c++/${enc_gcc})
endif()
set(CMAKE_CXX_FLAGS_INIT "-nostdinc++ -isystem ${enc_cxx} -isystem ${enc_cxx_machine} -isystem ${enc_cxx}/backward")

include(${CMAKE_CURRENT_LIST_DIR}/link_compat.cmake)
enc_link_compat(${CMAKE_CURRENT_LIST_DIR}/glibc_compat.c --sysroot=${ENC_SYSROOT})
set(enc_lib ${ENC_SYSROOT}/usr/lib/${enc_machine})
foreach(kind EXE SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT
    "-static-libstdc++ -B${enc_lib} -L${enc_lib} -Wl,--gc-sections -Wl,--exclude-libs,ALL -Wl,-s -Wl,--wrap=exp,--wrap=log2,--wrap=getcpu")
endforeach()

# Libraries of their own before glibc 2.34.
set(CMAKE_C_STANDARD_LIBRARIES_INIT "-lpthread -ldl")
set(CMAKE_CXX_STANDARD_LIBRARIES_INIT "-lpthread -ldl")
