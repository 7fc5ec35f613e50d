// What the integer gemms on 256-bit vectors share beside int8_panels.h: a block of 32 values is four vectors
// of f32.
#pragma once

#include "kernels/simd/avx2.h"

#include "kernels/gemm/int8_panels.h"
#include "kernels/gemm/int8_x86.h"

namespace enc::kernels {
namespace {

struct IntegerAvx2 : Avx2 {
  using I = __m256i;
  ENC_INLINE I set_i32(int32_t value) { return _mm256_set1_epi32(value); }
  ENC_INLINE I load_i(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  ENC_INLINE void store_i(void* p, I v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
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
  /// Eight values each of `a` and `b`, rounded to the nearest integers; the packs work in 128-bit lanes: lane
  /// 0 has the first four of each, lane 1 the last four.
  ENC_INLINE I rounded_i16(F a, F b) {
    return _mm256_packs_epi32(_mm256_cvtps_epi32(a), _mm256_cvtps_epi32(b));
  }
  /// 32 bytes packed twice in lanes, as they were before.
  ENC_INLINE I in_order(I bytes) {
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
};

}  // namespace
}  // namespace enc::kernels
