// q8_0 weights on 128-bit SDOT: ARMv8.2 with the dot product extension, which Neoverse, Cortex-A55, A75 and
// later and every Apple processor for the Mac have.
#include "kernels/simd/neon.h"

#include "kernels/gemm/int8_panels.h"

namespace enc::kernels {
namespace {

struct NeonDotprod : Neon {
  using I = int32x4_t;
  using X = int8_t;
  static constexpr int32_t kWeightOffset = 0;
  static constexpr bool kColumnSums = false;
  static constexpr size_t kGroupsAtOnce = 4, kTileRows = 4, kTileVectors = 3;
  using Neon::store;

  ENC_INLINE I set_i32(int32_t value) { return vdupq_n_s32(value); }
  ENC_INLINE I load_weights(const unsigned char* p) { return vreinterpretq_s32_u8(vld1q_u8(p)); }
  /// Four bytes of x as a lane of the 16 that were loaded together: SDOT takes lanes, and a register for each
  /// row saves the broadcasts.
  struct Group {
    int8x16_t four;
    size_t lane;
  };
  ENC_INLINE Group group(const int8_t* x, size_t index) { return {vld1q_s8(x), index}; }
  ENC_INLINE I dot(I sum, I weights, Group x) {
    const int8x16_t w = vreinterpretq_s8_s32(weights);
    switch (x.lane) {  // known once the loop over the group is unrolled
      case 0:
        return vdotq_laneq_s32(sum, w, x.four, 0);
      case 1:
        return vdotq_laneq_s32(sum, w, x.four, 1);
      case 2:
        return vdotq_laneq_s32(sum, w, x.four, 2);
    }
    return vdotq_laneq_s32(sum, w, x.four, 3);
  }
  ENC_INLINE F to_f32(I v) { return vcvtq_f32_s32(v); }
  /// Of 32 values in eight vectors; NaN if one is.
  ENC_INLINE float largest_magnitude(const F (&part)[8]) {
    const I mask = vdupq_n_s32(INT32_MAX);
    I largest = vdupq_n_s32(0);
    ENC_UNROLL for (size_t i = 0; i < 8; i++) {
      largest = vmaxq_s32(largest, vandq_s32(vreinterpretq_s32_f32(part[i]), mask));
    }
    return f32_of(vmaxvq_s32(largest));
  }
  /// 32 values in [-127, 127], rounded to the nearest integers.
  ENC_INLINE int8x16x2_t rounded(const F (&part)[8]) {
    int16x8_t pair[4];
    ENC_UNROLL for (size_t i = 0; i < 4; i++) {
      pair[i] = vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(part[2 * i])), vcvtnq_s32_f32(part[2 * i + 1]));
    }
    return {vqmovn_high_s16(vqmovn_s16(pair[0]), pair[1]), vqmovn_high_s16(vqmovn_s16(pair[2]), pair[3])};
  }
  ENC_INLINE void store(int8_t* p, int8x16x2_t bytes) {
    vst1q_s8(p, bytes.val[0]);
    vst1q_s8(p + 16, bytes.val[1]);
  }
};

}  // namespace

extern const GemmKernel gemm_q8_0_neon_dotprod;
const GemmKernel gemm_q8_0_neon_dotprod = int8_kernel<NeonDotprod>("gemm_q8_0_neon_dotprod");

}  // namespace enc::kernels
