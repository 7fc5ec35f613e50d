# What GCC and LLVM need to be told on Windows; included by the top CMakeLists before anything is compiled.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # It cannot align the stack beyond 16 bytes there, and spills wide vectors with moves that ask for 32 or 64.
  add_compile_options(-Wa,-muse-unaligned-vector-move)
endif()
# The binaries bring the C++ runtime with them: nobody has MinGW's installed. A library exports all that it holds unless told
# otherwise, and that runtime is its own.
add_link_options(-static -Wl,--exclude-libs,ALL)
