// q8_0 weights on 256-bit, VEX-encoded VPDPBUSD: CPUs with AVX-VNNI and no AVX-512.
#include "kernels/simd/avx2.h"

#include "kernels/gemm/int8_panels.h"
#include "kernels/gemm/int8_x86.h"

namespace enc::kernels {
namespace {

struct AvxVnni : Avx2, Int8BlockX86 {
  using I = __m256i;
  ENC_INLINE I set_i32(int32_t value) { return _mm256_set1_epi32(value); }
  ENC_INLINE I load_bytes(const unsigned char* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  /// Four bytes of x, in every lane.
  ENC_INLINE I quad(const int8_t* quads, size_t) { return set_i32(four_of(quads)); }
  ENC_INLINE I dot(I sum, I u8, I i8) { return _mm256_dpbusd_avx_epi32(sum, u8, i8); }
  ENC_INLINE F to_f32(I v) { return _mm256_cvtepi32_ps(v); }
  /// Of 32 values in four vectors; NaN if one is.
  ENC_INLINE float largest_magnitude(const F (&part)[4]) {
    const __m256i mask = _mm256_set1_epi32(INT32_MAX);
    __m256i largest = _mm256_setzero_si256();
    ENC_UNROLL for (size_t i = 0; i < 4; i++) {
      largest = _mm256_max_epi32(largest, _mm256_and_si256(_mm256_castps_si256(part[i]), mask));
    }
    return f32_of(largest_i32(largest));
  }
  /// 32 values in [-127, 127], rounded to the nearest integers.
  ENC_INLINE __m256i rounded_i8(const F (&part)[4]) {
    const __m256i low = _mm256_packs_epi32(_mm256_cvtps_epi32(part[0]), _mm256_cvtps_epi32(part[1]));
    const __m256i high = _mm256_packs_epi32(_mm256_cvtps_epi32(part[2]), _mm256_cvtps_epi32(part[3]));
    // The packs work in 128-bit lanes: lane 0 has the first four of each part, lane 1 the last four.
    return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high),
                                       _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
};

}  // namespace

extern const GemmKernel gemm_q8_0_avx_vnni;
const GemmKernel gemm_q8_0_avx_vnni = int8_kernel<AvxVnni>("gemm_q8_0_avx_vnni");

}  // namespace enc::kernels
