// Weights of every stored type with f32 arithmetic on 128-bit NEON vectors.
#include "kernels/simd/neon.h"

#include "kernels/gemm/dense_panels.h"

namespace enc::kernels {

extern const GemmKernel gemm_f32_neon, gemm_f16_neon, gemm_bf16_neon, gemm_q8_0_neon;
const GemmKernel gemm_f32_neon = dense_kernel<Neon, StoredF32>("gemm_f32_neon");
const GemmKernel gemm_f16_neon = dense_kernel<Neon, StoredF16>("gemm_f16_neon");
const GemmKernel gemm_bf16_neon = dense_kernel<Neon, StoredBf16>("gemm_bf16_neon");
const GemmKernel gemm_q8_0_neon = dense_kernel<Neon, StoredQ8_0>("gemm_q8_0_neon");

}  // namespace enc::kernels
