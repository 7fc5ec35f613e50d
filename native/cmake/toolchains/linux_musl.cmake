# GCC of this system (Debian) for musl: its musl-tools, and a C++ library built for musl (ENC_MUSL_ROOT, scripts/make-musl-root.sh),
# which goes in statically, as do GCC's helpers. Programs run where Debian's package musl is installed.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ENC_MUSL_ROOT)
set(ENC_MUSL_ROOT /opt/musl CACHE PATH "What scripts/make-musl-root.sh made")
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})
set(CMAKE_C_COMPILER gcc)
set(CMAKE_CXX_COMPILER g++)
set(enc_machine ${CMAKE_HOST_SYSTEM_PROCESSOR}-linux-musl)
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include OUTPUT_VARIABLE enc_gcc_headers OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

set(enc_headers "-isystem /usr/include/${enc_machine} -isystem ${enc_gcc_headers}")
set(enc_cxx ${ENC_MUSL_ROOT}/include/c++)
set(CMAKE_C_FLAGS_INIT "-nostdinc ${enc_headers}")
set(CMAKE_CXX_FLAGS_INIT "-nostdinc -nostdinc++ -DGTHREAD_USE_WEAK=0 -isystem ${enc_cxx} -isystem ${enc_cxx}/${enc_machine} ${enc_headers}")

include(${CMAKE_CURRENT_LIST_DIR}/link_compat.cmake)
separate_arguments(enc_flags UNIX_COMMAND "${CMAKE_C_FLAGS_INIT}")
enc_link_compat(${CMAKE_CURRENT_LIST_DIR}/musl_compat.c ${enc_flags})
# musl-gcc is a compiler of C: its specs leave the table out that C++ finds unwind information by.
foreach(kind EXE SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT
    "-specs=/usr/lib/${enc_machine}/musl-gcc.specs -static-libstdc++ -L${ENC_MUSL_ROOT}/lib -Wl,--eh-frame-hdr -Wl,--gc-sections -Wl,--exclude-libs,ALL -Wl,-s")
endforeach()
