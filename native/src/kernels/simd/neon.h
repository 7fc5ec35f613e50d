// The 128-bit vector of f32 that the kernel templates are written against on 64-bit ARM; simd/avx2.h has the
// same members for x86. In an unnamed namespace, so that every instantiation stays local to the file whose
// flags it was compiled with.
//
// One register and not a pair: the gemm's tile of 8 x 3 then takes 28 of the 32 registers, with 24
// independent chains, and a panel wastes at most 3 columns.
#pragma once

#include <arm_neon.h>

#include "kernels/simd/inline.h"

namespace enc::kernels {
namespace {

alignas(16) constexpr int32_t kNeonMask[8] = {-1, -1, -1, -1, 0, 0, 0, 0};

struct Neon {
  static constexpr size_t kWidth = 4;
  static constexpr size_t kRegisters = 32;
  using F = float32x4_t;

  ENC_INLINE F zero() { return vdupq_n_f32(0.0f); }
  ENC_INLINE F set(float value) { return vdupq_n_f32(value); }
  ENC_INLINE F load(const float* p) { return vld1q_f32(p); }
  /// The first `count` (0..4) elements, zeros after them; reads nothing behind them.
  ENC_INLINE F load(const float* p, size_t count) {
    switch (count) {
      case 0:
        return zero();
      case 1:
        return vld1q_lane_f32(p, zero(), 0);
      case 2:
        return vcombine_f32(vld1_f32(p), vdup_n_f32(0.0f));
      case 3:
        return vld1q_lane_f32(p + 2, vcombine_f32(vld1_f32(p), vdup_n_f32(0.0f)), 2);
    }
    return load(p);
  }
  ENC_INLINE void store(float* p, F v) { vst1q_f32(p, v); }
  ENC_INLINE void store(float* p, F v, size_t count) {
    if (count >= kWidth) return store(p, v);
    if (count >= 2) vst1_f32(p, vget_low_f32(v));
    if (count == 3) vst1q_lane_f32(p + 2, v, 2);
    if (count == 1) vst1q_lane_f32(p, v, 0);
  }
  /// 4 consecutive f16, bf16 or int8 values, widened exactly.
  ENC_INLINE F load_f16(const uint16_t* p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
  ENC_INLINE F load_bf16(const uint16_t* p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }
  ENC_INLINE F load_i8(const int8_t* p) {
    uint32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    const int16x8_t wide = vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four)));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
  }

  ENC_INLINE F add(F a, F b) { return vaddq_f32(a, b); }
  ENC_INLINE F sub(F a, F b) { return vsubq_f32(a, b); }
  ENC_INLINE F mul(F a, F b) { return vmulq_f32(a, b); }
  ENC_INLINE F div(F a, F b) { return vdivq_f32(a, b); }
  /// 1 / a: the estimate's 8 bits, doubled by two Newton steps. The architecture defines every bit of it.
  ENC_INLINE F reciprocal(F a) {
    F r = vrecpeq_f32(a);
    r = mul(r, vrecpsq_f32(a, r));
    return mul(r, vrecpsq_f32(a, r));
  }
  ENC_INLINE F min(F a, F b) { return vminq_f32(a, b); }  // NaN when either is; x86 keeps b's alone
  ENC_INLINE F max(F a, F b) { return vmaxq_f32(a, b); }
  ENC_INLINE F fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }   // a * b + c
  ENC_INLINE F fnma(F a, F b, F c) { return vfmsq_f32(c, a, b); }  // c - a * b
  ENC_INLINE F abs(F a) { return vabsq_f32(a); }
  /// |a| with the sign of `sign`.
  ENC_INLINE F copysign(F a, F sign) { return vbslq_f32(vdupq_n_u32(0x80000000u), sign, a); }
  /// `when_less` where a < b, else `otherwise`.
  ENC_INLINE F select_less(F a, F b, F when_less, F otherwise) {
    return vbslq_f32(vcltq_f32(a, b), when_less, otherwise);
  }
  ENC_INLINE F round(F a) { return vrndnq_f32(a); }
  /// a * 2^n for integral n in [-252, 254]; in two steps, since 2^n itself may lie outside the normal range.
  ENC_INLINE F scale_by_power(F a, F n) {
    const int32x4_t whole = vcvtq_s32_f32(n), half = vshrq_n_s32(whole, 1);
    const int32x4_t bias = vdupq_n_s32(127);
    const int32x4_t low = vshlq_n_s32(vaddq_s32(half, bias), 23);
    const int32x4_t high = vshlq_n_s32(vaddq_s32(vsubq_s32(whole, half), bias), 23);
    return mul(mul(a, vreinterpretq_f32_s32(low)), vreinterpretq_f32_s32(high));
  }
  ENC_INLINE F scale_by_normal_power(F a, F n) {
    const int32x4_t biased = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
    return mul(a, vreinterpretq_f32_s32(vshlq_n_s32(biased, 23)));
  }
  /// To the nearest bf16, ties to even, as f32; NaN stays NaN.
  ENC_INLINE F round_bf16(F a) {
    const uint32x4_t bits = vreinterpretq_u32_f32(a);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t up = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    const uint32x4_t cut = vandq_u32(up, vdupq_n_u32(0xffff0000u));
    return vbslq_f32(vceqq_f32(a, a), vreinterpretq_f32_u32(cut), a);
  }

  /// The first `count` elements, zeros after them.
  ENC_INLINE F keep_first(F a, size_t count) {
    const int32x4_t mask = vld1q_s32(kNeonMask + kWidth - count);
    return vreinterpretq_f32_s32(vandq_s32(vreinterpretq_s32_f32(a), mask));
  }
  ENC_INLINE float first_lane(F a) { return vgetq_lane_f32(a, 0); }
  ENC_INLINE float sum(F a) { return vaddvq_f32(a); }
  ENC_INLINE float largest(F a) { return vmaxvq_f32(a); }
};

}  // namespace
}  // namespace enc::kernels
