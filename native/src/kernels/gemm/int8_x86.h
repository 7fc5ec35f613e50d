// What the VPDPBUSD kernels of both widths share beside int8_panels.h: a block of 32 int8 is one 256-bit
// register.
#pragma once

#include <immintrin.h>

#include "kernels/simd/inline.h"

namespace enc::kernels {
namespace {

/// The largest of eight int32.
ENC_INLINE int32_t largest_i32(__m256i v) {
  const __m128i four = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const __m128i two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

struct Int8BlockX86 {
  static constexpr int32_t kWeightOffset = 128;
  static constexpr size_t kQuadGroup = 1;

  ENC_INLINE int32_t four_of(const int8_t* quads) {
    int32_t four;
    __builtin_memcpy(&four, quads, sizeof four);
    return four;
  }
  ENC_INLINE void store_i8(int8_t* p, __m256i bytes) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), bytes);
  }
  /// The sum of 32 int8.
  ENC_INLINE int32_t sum_i8(__m256i bytes) {
    const __m256i ones = _mm256_set1_epi8(1);
#if defined(__AVX512VNNI__)
    const __m256i eight = _mm256_dpbusd_epi32(_mm256_setzero_si256(), ones, bytes);
#else
    const __m256i eight = _mm256_dpbusd_avx_epi32(_mm256_setzero_si256(), ones, bytes);
#endif
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
  }
};

}  // namespace
}  // namespace enc::kernels
