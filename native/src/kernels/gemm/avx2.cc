// Weights of every stored type with f32 arithmetic on 256-bit vectors.
#include "kernels/simd/avx2.h"

#include "kernels/gemm/dense_panels.h"

namespace enc::kernels {

extern const GemmKernel gemm_f32_avx2, gemm_f16_avx2, gemm_bf16_avx2, gemm_q8_0_avx2;
const GemmKernel gemm_f32_avx2 = dense_kernel<Avx2, StoredF32>("gemm_f32_avx2");
const GemmKernel gemm_f16_avx2 = dense_kernel<Avx2, StoredF16>("gemm_f16_avx2");
const GemmKernel gemm_bf16_avx2 = dense_kernel<Avx2, StoredBf16>("gemm_bf16_avx2");
const GemmKernel gemm_q8_0_avx2 = dense_kernel<Avx2, StoredQ8_0>("gemm_q8_0_avx2");

}  // namespace enc::kernels
