// What the integer kernels on x86 share beside int8_panels.h.
#pragma once

#include <immintrin.h>

#include "kernels/simd/inline.h"

namespace enc::kernels {
namespace {

/// The four bytes of x at `group`, as one number to broadcast.
ENC_INLINE int32_t four_bytes(const void* group) {
  int32_t four;
  __builtin_memcpy(&four, group, sizeof four);
  return four;
}

/// The sum of eight int32.
ENC_INLINE int32_t sum_i32(__m256i v) {
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

/// The largest of eight int32.
ENC_INLINE int32_t largest_i32(__m256i v) {
  const __m128i four = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const __m128i two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

/// What VPDPBUSD asks for: signed x, 32 of which are one 256-bit register, and unsigned weights.
struct UnsignedBySigned {
  using X = int8_t;
  static constexpr int32_t kWeightOffset = 128;
  static constexpr bool kColumnSums = false;
  static constexpr size_t kGroupsAtOnce = 1, kTileRows = 4, kTileVectors = 3;
};

}  // namespace
}  // namespace enc::kernels
