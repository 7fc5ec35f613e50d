// 256-bit vectors: f32 arithmetic for weights of every type but q8_0, integers for those.
//
// Without VPDPBUSD 32 products take two VPMADDWD and two VPADDD where f32 takes four multiply-adds, but
// additions find ports of their own. Since VPMADDWD takes 16-bit operands, x keeps 16 bits: its rounding is
// 256 times finer than in int8. Dropped: VPMADDUBSW, whose sum of two products saturates at 16 bits. With x
// given the sign of |w| it cannot, but that makes three instructions for the same two ports (125 GFLOP/s);
// with x in 7 bits it cannot either (180), but they round twice as coarsely as int8.
//
// Zen 4 at 3.7 GHz, GCC 12, one thread, n = 2304, k = 768: 102, 142, 137 and 126 GFLOP/s at m = 1, 16, 128
// and 512, where FMA's peak is 118; widened to f32 21, 100, 112 and 113.
#include "kernels/simd/avx2.h"

#include "kernels/gemm/dense_panels.h"
#include "kernels/gemm/int8_avx2.h"

namespace enc::kernels {
namespace {

struct Avx2Words : IntegerAvx2 {
  using X = int16_t;
  static constexpr float kTop = 32767;
  static constexpr int32_t kWeightOffset = 0;
  static constexpr size_t kGroupsAtOnce = 1, kTileRows = 6, kTileVectors = 2;
  using IntegerAvx2::store;

  struct Words {
    I first, last;  // 16 each
  };

  ENC_INLINE I load_weights(const unsigned char* p) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  ENC_INLINE I group(const int16_t* x, size_t) { return set_i32(four_bytes(x)); }
  /// sum + weights * x, pair by pair. In assembly because GCC 12 copies every sum to another register in the
  /// loop (a fifth of the speed).
  ENC_INLINE I dot(I sum, I weights, I x) {
    I product;
    asm("vpmaddwd %2, %3, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(weights), "x"(x));
    return sum;
  }
  /// 32 values in [-32767, 32767], rounded to the nearest integers.
  ENC_INLINE Words rounded(const F (&part)[4]) {
    return {_mm256_permute4x64_epi64(rounded_i16(part[0], part[1]), 0xd8),
            _mm256_permute4x64_epi64(rounded_i16(part[2], part[3]), 0xd8)};
  }
  ENC_INLINE void store(int16_t* p, Words words) {
    store_i(p, words.first);
    store_i(p + 16, words.last);
  }
};

}  // namespace

extern const GemmKernel gemm_f32_avx2, gemm_f16_avx2, gemm_bf16_avx2, gemm_q8_0_avx2;
const GemmKernel gemm_f32_avx2 = dense_kernel<Avx2, StoredF32>("gemm_f32_avx2");
const GemmKernel gemm_f16_avx2 = dense_kernel<Avx2, StoredF16>("gemm_f16_avx2");
const GemmKernel gemm_bf16_avx2 = dense_kernel<Avx2, StoredBf16>("gemm_bf16_avx2");
const GemmKernel gemm_q8_0_avx2 = int8_kernel<Avx2Words>("gemm_q8_0_avx2");

}  // namespace enc::kernels
