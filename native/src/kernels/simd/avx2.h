// The 256-bit vector of f32 that the kernel templates are written against; simd/avx512.h is its twin, member
// for member but for the pairs of bf16. In an unnamed namespace, so that every instantiation stays local to
// the file whose flags it was compiled with.
#pragma once

#include <immintrin.h>

#include "kernels/simd/inline.h"

namespace enc::kernels {
namespace {

alignas(32) constexpr int32_t kAvx2Mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

struct Avx2 {
  static constexpr size_t kWidth = 8;
  static constexpr size_t kRegisters = 16;
  using F = __m256;

  ENC_INLINE __m256i first(size_t count) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kAvx2Mask + 8 - count));
  }

  ENC_INLINE F zero() { return _mm256_setzero_ps(); }
  ENC_INLINE F set(float value) { return _mm256_set1_ps(value); }
  ENC_INLINE F load(const float* p) { return _mm256_loadu_ps(p); }
  /// The first `count` (0..8) elements, zeros after them; reads nothing behind them.
  ENC_INLINE F load(const float* p, size_t count) {
    return count == kWidth ? load(p) : _mm256_maskload_ps(p, first(count));
  }
  ENC_INLINE void store(float* p, F v) { _mm256_storeu_ps(p, v); }
  /// In parts: on Zen one masked store takes ten times as long as others. Attention of 12 heads of 26 over 16
  /// texts of 32 tokens takes 472 us where it took 516 with them (Zen 3, least of three turns).
  ENC_INLINE void store(float* p, F v, size_t count) {
    if (count == kWidth) return store(p, v);
    __m128 part = _mm256_castps256_ps128(v);
    if (count & 4) {
      _mm_storeu_ps(p, part);
      part = _mm256_extractf128_ps(v, 1), p += 4;
    }
    if (count & 2) {
      _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
      part = _mm_movehl_ps(part, part), p += 2;
    }
    if (count & 1) _mm_store_ss(p, part);
  }
  /// 8 consecutive f16, bf16 or int8 values, widened exactly.
  ENC_INLINE F load_f16(const uint16_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  ENC_INLINE F load_bf16(const uint16_t* p) {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
  /// 16 consecutive bf16 values: those at even places and those at odd ones.
  ENC_INLINE void load_bf16_pairs(const uint16_t* p, F& even, F& odd) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    even = _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
    odd = _mm256_castsi256_ps(_mm256_and_si256(bits, _mm256_set1_epi32(-65536)));
  }
  ENC_INLINE F load_i8(const int8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }

  ENC_INLINE F add(F a, F b) { return _mm256_add_ps(a, b); }
  ENC_INLINE F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  ENC_INLINE F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  ENC_INLINE F div(F a, F b) { return _mm256_div_ps(a, b); }
  ENC_INLINE F reciprocal(F a) { return div(set(1.0f), a); }
  ENC_INLINE F min(F a, F b) { return _mm256_min_ps(a, b); }  // b when either is NaN
  ENC_INLINE F max(F a, F b) { return _mm256_max_ps(a, b); }
  ENC_INLINE F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }    // a * b + c
  ENC_INLINE F fnma(F a, F b, F c) { return _mm256_fnmadd_ps(a, b, c); }  // c - a * b
  ENC_INLINE F abs(F a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  /// |a| with the sign of `sign`.
  ENC_INLINE F copysign(F a, F sign) {
    return _mm256_or_ps(abs(a), _mm256_and_ps(sign, _mm256_set1_ps(-0.0f)));
  }
  /// `when_less` where a < b, else `otherwise`.
  ENC_INLINE F select_less(F a, F b, F when_less, F otherwise) {
    return _mm256_blendv_ps(otherwise, when_less, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
  }
  ENC_INLINE F round(F a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  /// a * 2^n for integral n in [-252, 254]; in two steps, since 2^n itself may lie outside the normal range.
  ENC_INLINE F scale_by_power(F a, F n) {
    const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    const __m256i bias = _mm256_set1_epi32(127);
    const __m256i low = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
    const __m256i high = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(whole, half), bias), 23);
    return _mm256_mul_ps(_mm256_mul_ps(a, _mm256_castsi256_ps(low)), _mm256_castsi256_ps(high));
  }
  /// The same for n in [-126, 127].
  ENC_INLINE F scale_by_normal_power(F a, F n) {
    const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return mul(a, _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)));
  }
  /// To the nearest bf16, ties to even, as f32; NaN stays NaN.
  ENC_INLINE F round_bf16(F a) {
    const __m256i bits = _mm256_castps_si256(a);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i cut = _mm256_and_si256(up, _mm256_set1_epi32(static_cast<int>(0xffff0000u)));
    return _mm256_blendv_ps(_mm256_castsi256_ps(cut), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
  }

  /// The first `count` elements, zeros after them.
  ENC_INLINE F keep_first(F a, size_t count) { return _mm256_and_ps(a, _mm256_castsi256_ps(first(count))); }
  ENC_INLINE float first_lane(F a) { return _mm256_cvtss_f32(a); }
  ENC_INLINE float sum(F a) {
    const __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
  }
  ENC_INLINE float largest(F a) {
    const __m128 quarter = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 pair = _mm_max_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_max_ss(pair, _mm_movehdup_ps(pair)));
  }
};

}  // namespace
}  // namespace enc::kernels
