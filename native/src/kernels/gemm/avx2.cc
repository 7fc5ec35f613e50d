// 256-bit vectors: f32 arithmetic for weights of every type but q8_0, integers for those.
//
// Without VPDPBUSD 32 products take VPMADDUBSW, whose sums of two saturate at 16 bits, VPMADDWD and VPADDD.
// With x in 8 bits they would saturate; with x between 0 and 128 they cannot. So a block of x is rounded to
// steps of (largest - least) / 127 and counted from its least value: 129 values at most over the range that
// the block has, where int8 has 255 over a range symmetric about zero. What the least value stands for, the
// zero point, comes back exactly as an integer times the sum of the weights. Root mean square of the error of
// the logits of the benchmark's four models over 256 texts, in thousandths, here, in int8 with 127 steps
// either way, and with x in 16 bits: 11, 8 and 6; 19, 17 and 16; 12, 9 and 6; 14, 12 and 10 (ONNX Runtime
// int8: 51, 55, 47, 27). Dropped: 64 steps either way of zero (13, 22, 15, 17); VPMADDWD with x in 16 bits, a
// quarter slower; VPMADDUBSW with the sign of the weight given to x, as slow as that.
//
// Zen 3 at 3.25 GHz, GCC 12, one thread, n = k = 768: 101, 155, 158 and 155 GFLOP/s at m = 1, 16, 128 and
// 512, where FMA's peak is 104 and the three instructions reach 197 in registers; x in 16 bits 90, 126, 128
// and 124, f32 25, 101, 98 and 97. What is left goes into scales and zero points, once per block of 32.
// Tiles of 3 x 2, 3 x 3 and 5 x 2 are within 2 %.
#include "kernels/simd/avx2.h"

#include "kernels/gemm/dense_panels.h"
#include "kernels/gemm/int8_avx2.h"

namespace enc::kernels {
namespace {

struct Avx2Bytes : IntegerAvx2 {
  using X = uint8_t;
  static constexpr int32_t kWeightOffset = 0;
  static constexpr bool kColumnSums = true;
  static constexpr size_t kGroupsAtOnce = 1, kTileRows = 4, kTileVectors = 2;

  ENC_INLINE I load_weights(const unsigned char* p) { return load_i(p); }
  ENC_INLINE I group(const uint8_t* x, size_t) { return set_i32(four_bytes(x)); }
  /// sum + weights * x, four by four. In assembly because GCC 12 keeps the products and puts the sums into
  /// memory (an eighth of the speed).
  ENC_INLINE I dot(I sum, I weights, I x) {
    I product;
    asm("vpmaddubsw %2, %3, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0"
        : "+x"(sum), "=&x"(product)
        : "x"(weights), "x"(x), "x"(_mm256_set1_epi16(1)));
    return sum;
  }
  /// Eight sums of weights, int16, times the zero point in the lower halves.
  ENC_INLINE I times_sums(I zero_point, const unsigned char* sums) {
    const __m128i eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums));
    return _mm256_madd_epi16(_mm256_cvtepi16_epi32(eight), zero_point);
  }

  /// x is scale * (quants + zero point), rounded; the zero point is int16 with an upper half of 0. A NaN
  /// becomes the scale.
  ENC_INLINE void quantize(const F (&part)[4], uint8_t* quants, float* scale, int32_t* zero_point) {
    const float most = largest(max(max(part[0], part[1]), max(part[2], part[3])));
    const float least = -largest(sub(zero(), min(min(part[0], part[1]), min(part[2], part[3]))));
    // A block far from zero takes coarser steps, so that its values fit 16 bits.
    const float magnitude = most > -least ? most : -least, narrowest = magnitude * (kSteps / 2 / kFarthest);
    // Half of the range: all of it may be more than an f32 holds.
    float half_range = most * 0.5f - least * 0.5f;
    half_range = half_range > narrowest ? half_range : narrowest;
    if (any_nan(part)) half_range = __builtin_nanf("");
    *scale = half_range * (2 / kSteps);
    const F inverse = set(half_range > 0 ? kSteps / 2 / half_range : 0.0f);
    const int32_t first = _mm_cvtss_si32(_mm_mul_ss(_mm_set_ss(least), _mm256_castps256_ps128(inverse)));
    *zero_point = first & 0xffff;
    const I origin = _mm256_set1_epi16(static_cast<int16_t>(first));
    I half[2];
    ENC_UNROLL for (size_t i = 0; i < 2; i++) {
      const I steps = rounded_i16(mul(part[2 * i], inverse), mul(part[2 * i + 1], inverse));
      half[i] = _mm256_sub_epi16(steps, origin);
    }
    store_i(quants, in_order(_mm256_packus_epi16(half[0], half[1])));
  }

 private:
  static constexpr float kSteps = 127, kFarthest = 16383;

  ENC_INLINE float largest(F v) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
  ENC_INLINE bool any_nan(const F (&part)[4]) {
    const F first = _mm256_cmp_ps(part[0], part[1], _CMP_UNORD_Q);
    const F last = _mm256_cmp_ps(part[2], part[3], _CMP_UNORD_Q);
    return _mm256_movemask_ps(_mm256_or_ps(first, last)) != 0;
  }
};

}  // namespace

extern const GemmKernel gemm_f32_avx2, gemm_f16_avx2, gemm_bf16_avx2, gemm_q8_0_avx2;
const GemmKernel gemm_f32_avx2 = dense_kernel<Avx2, StoredF32>("gemm_f32_avx2");
const GemmKernel gemm_f16_avx2 = dense_kernel<Avx2, StoredF16>("gemm_f16_avx2");
const GemmKernel gemm_bf16_avx2 = dense_kernel<Avx2, StoredBf16>("gemm_bf16_avx2");
const GemmKernel gemm_q8_0_avx2 = int8_kernel<Avx2Bytes>("gemm_q8_0_avx2");

}  // namespace enc::kernels
