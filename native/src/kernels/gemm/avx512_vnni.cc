// q8_0 weights on 512-bit VPDPBUSD.
#include "kernels/simd/avx512.h"

#include "kernels/gemm/int8_panels.h"
#include "kernels/gemm/int8_x86.h"

namespace enc::kernels {
namespace {

struct Avx512Vnni : Avx512, UnsignedBySigned {
  using I = __m512i;
  using Avx512::store;
  ENC_INLINE I set_i32(int32_t value) { return _mm512_set1_epi32(value); }
  ENC_INLINE I load_weights(const unsigned char* p) { return _mm512_loadu_si512(p); }
  ENC_INLINE I group(const int8_t* x, size_t) { return set_i32(four_bytes(x)); }
  ENC_INLINE I dot(I sum, I u8, I i8) { return _mm512_dpbusd_epi32(sum, u8, i8); }
  ENC_INLINE F to_f32(I v) { return _mm512_cvtepi32_ps(v); }
  /// Of 32 values in two vectors; NaN if one is.
  ENC_INLINE float largest_magnitude(const F (&part)[2]) {
    const __m512i mask = _mm512_set1_epi32(INT32_MAX);
    const __m512i a = _mm512_and_si512(_mm512_castps_si512(part[0]), mask);
    const __m512i both = _mm512_max_epi32(a, _mm512_and_si512(_mm512_castps_si512(part[1]), mask));
    return f32_of(
        largest_i32(_mm256_max_epi32(_mm512_castsi512_si256(both), _mm512_extracti64x4_epi64(both, 1))));
  }
  /// 32 values in [-127, 127], rounded to the nearest integers.
  ENC_INLINE __m256i rounded(const F (&part)[2]) {
    return _mm256_set_m128i(_mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(part[1])),
                            _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(part[0])));
  }
  ENC_INLINE void store(int8_t* p, __m256i bytes) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), bytes);
  }
  ENC_INLINE int32_t sum_i8(__m256i bytes) {
    return sum_i32(_mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), bytes));
  }
};

}  // namespace

extern const GemmKernel gemm_q8_0_avx512_vnni;
const GemmKernel gemm_q8_0_avx512_vnni = int8_kernel<Avx512Vnni>("gemm_q8_0_avx512_vnni");

}  // namespace enc::kernels
