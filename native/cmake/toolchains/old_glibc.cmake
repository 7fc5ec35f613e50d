# GCC of this machine against the C library of an older Debian (ENC_SYSROOT, see scripts/make-sysroot.sh), so that the
# binaries load wherever that C library or a newer one is. The C++ library goes in statically: it is this machine's, and
# newer than the ones of the systems we want to run on.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ENC_SYSROOT)
set(CMAKE_SYSROOT ${ENC_SYSROOT})
execute_process(COMMAND g++ -dumpversion OUTPUT_VARIABLE enc_gcc OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND g++ -dumpmachine OUTPUT_VARIABLE enc_machine OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(CMAKE_C_COMPILER gcc)
set(CMAKE_CXX_COMPILER g++)
set(CMAKE_CXX_FLAGS_INIT "-nostdinc++ -isystem /usr/include/c++/${enc_gcc} -isystem /usr/include/${enc_machine}/c++/${enc_gcc} -isystem /usr/include/c++/${enc_gcc}/backward")

set(enc_glibc_compat ${CMAKE_BINARY_DIR}/glibc_compat.o)
if(${CMAKE_CURRENT_LIST_DIR}/glibc_compat.c IS_NEWER_THAN ${enc_glibc_compat})
  execute_process(COMMAND gcc -O2 -fPIC --sysroot=${ENC_SYSROOT} -c ${CMAKE_CURRENT_LIST_DIR}/glibc_compat.c -o ${enc_glibc_compat}
    COMMAND_ERROR_IS_FATAL ANY)
endif()
set(enc_lib ${ENC_SYSROOT}/usr/lib/${enc_machine})
foreach(kind EXE SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT
    "-static-libstdc++ -B${enc_lib} -L${enc_lib} -Wl,--gc-sections -Wl,--exclude-libs,ALL -Wl,-s -Wl,--wrap=exp,--wrap=log2,--wrap=getcpu ${enc_glibc_compat}")
endforeach()

# Libraries of their own before glibc 2.34.
set(CMAKE_C_STANDARD_LIBRARIES_INIT "-lpthread -ldl")
set(CMAKE_CXX_STANDARD_LIBRARIES_INIT "-lpthread -ldl")
