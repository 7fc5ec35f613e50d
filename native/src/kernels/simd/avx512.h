// The 512-bit vector of f32 that the kernel templates are written against; simd/avx2.h is its twin, member
// for member. In an unnamed namespace, so that every instantiation stays local to the file whose flags it was
// compiled with.
#pragma once

#include <immintrin.h>

#include "kernels/simd/inline.h"

namespace enc::kernels {
namespace {

struct Avx512 {
  static constexpr size_t kWidth = 16;
  static constexpr size_t kRegisters = 32;
  using F = __m512;

  ENC_INLINE __mmask16 first(size_t count) { return static_cast<__mmask16>((1u << count) - 1); }

  ENC_INLINE F zero() { return _mm512_setzero_ps(); }
  ENC_INLINE F set(float value) { return _mm512_set1_ps(value); }
  ENC_INLINE F load(const float* p) { return _mm512_loadu_ps(p); }
  /// The first `count` (0..16) elements, zeros after them; reads nothing behind them.
  ENC_INLINE F load(const float* p, size_t count) { return _mm512_maskz_loadu_ps(first(count), p); }
  ENC_INLINE void store(float* p, F v) { _mm512_storeu_ps(p, v); }
  ENC_INLINE void store(float* p, F v, size_t count) { _mm512_mask_storeu_ps(p, first(count), v); }
  /// 16 consecutive f16, bf16 or int8 values, widened exactly.
  ENC_INLINE F load_f16(const uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  ENC_INLINE F load_bf16(const uint16_t* p) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  ENC_INLINE F load_i8(const int8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }

  ENC_INLINE F add(F a, F b) { return _mm512_add_ps(a, b); }
  ENC_INLINE F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  ENC_INLINE F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  ENC_INLINE F div(F a, F b) { return _mm512_div_ps(a, b); }
  /// 1 / a to 1 ulp: the estimate's 14 bits, doubled by one Newton step.
  ENC_INLINE F reciprocal(F a) {
    const F r = _mm512_rcp14_ps(a);
    return fma(r, fnma(a, r, set(1.0f)), r);
  }
  ENC_INLINE F min(F a, F b) { return _mm512_min_ps(a, b); }  // b when either is NaN
  ENC_INLINE F max(F a, F b) { return _mm512_max_ps(a, b); }
  ENC_INLINE F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }    // a * b + c
  ENC_INLINE F fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }  // c - a * b
  ENC_INLINE F abs(F a) { return _mm512_abs_ps(a); }
  /// |a| with the sign of `sign`.
  ENC_INLINE F copysign(F a, F sign) {
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(a), _mm512_castps_si512(sign),
                                                         _mm512_set1_epi32(INT32_MIN), 0xd8));
  }
  /// `when_less` where a < b, else `otherwise`.
  ENC_INLINE F select_less(F a, F b, F when_less, F otherwise) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), otherwise, when_less);
  }
  ENC_INLINE F round(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  /// a * 2^n for integral n.
  ENC_INLINE F scale_by_power(F a, F n) { return _mm512_scalef_ps(a, n); }
  ENC_INLINE F scale_by_normal_power(F a, F n) { return _mm512_scalef_ps(a, n); }
  /// To the nearest bf16, ties to even, as f32; NaN stays NaN.
  ENC_INLINE F round_bf16(F a) {
    const __m512i bits = _mm512_castps_si512(a);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i cut = _mm512_and_si512(up, _mm512_set1_epi32(static_cast<int>(0xffff0000u)));
    return _mm512_mask_mov_ps(_mm512_castsi512_ps(cut), _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), a);
  }

  /// The first `count` elements, zeros after them.
  ENC_INLINE F keep_first(F a, size_t count) { return _mm512_maskz_mov_ps(first(count), a); }
  ENC_INLINE float first_lane(F a) { return _mm512_cvtss_f32(a); }
  ENC_INLINE float sum(F a) {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    const __m128 pair = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
  }
  ENC_INLINE float largest(F a) {
    const __m256 half = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 quarter = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    const __m128 pair = _mm_max_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_max_ss(pair, _mm_movehdup_ps(pair)));
  }
};

}  // namespace
}  // namespace enc::kernels
