# Compiler flags by a kernel file's name: avx2.cc may use AVX2 whatever its folder. Every other file compiles at the
# ABI baseline. Contraction is off everywhere: where a fused multiply-add is wanted the code says so, and a row's bits
# cannot depend on which template the compiler chose to contract.
set(enc_flags_avx2 -mavx2 -mfma -mf16c -mbmi -mbmi2)
set(enc_flags_avx_vnni ${enc_flags_avx2} -mavxvnni)
set(enc_flags_avx512 ${enc_flags_avx2} -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl)
set(enc_flags_avx512_vnni ${enc_flags_avx512} -mavx512vnni)
set(enc_flags_avx512_bf16 ${enc_flags_avx512_vnni} -mavx512bf16)
set(enc_flags_amx_bf16 ${enc_flags_avx512_bf16})  # the tile instructions are inline assembly
# NEON is in the baseline of 64-bit ARM. GCC's first scheduling pass would hoist so many loads that the tiles' sums spill.
set(enc_flags_neon $<$<CXX_COMPILER_ID:GNU>:-fno-schedule-insns>)
set(enc_flags_neon_dotprod ${enc_flags_neon} -march=armv8.2-a+dotprod)

function(enc_set_isa_flags)
  foreach(file ${ARGN})
    get_filename_component(isa ${file} NAME_WE)
    set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "-O3;-ffp-contract=off;-Wno-maybe-uninitialized;-Wno-uninitialized;${enc_flags_${isa}}")
  endforeach()
endfunction()
