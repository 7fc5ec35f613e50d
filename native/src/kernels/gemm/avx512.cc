// Weights of every stored type with f32 arithmetic on 512-bit vectors.
#include "kernels/simd/avx512.h"

#include "kernels/gemm/dense_panels.h"

namespace enc::kernels {

extern const GemmKernel gemm_f32_avx512, gemm_f16_avx512, gemm_bf16_avx512, gemm_q8_0_avx512;
const GemmKernel gemm_f32_avx512 = dense_kernel<Avx512, StoredF32>("gemm_f32_avx512");
const GemmKernel gemm_f16_avx512 = dense_kernel<Avx512, StoredF16>("gemm_f16_avx512");
const GemmKernel gemm_bf16_avx512 = dense_kernel<Avx512, StoredBf16>("gemm_bf16_avx512");
const GemmKernel gemm_q8_0_avx512 = dense_kernel<Avx512, StoredQ8_0>("gemm_q8_0_avx512");

}  // namespace enc::kernels
