// q8_0 weights on 256-bit, VEX-encoded VPDPBUSD: CPUs with AVX-VNNI and no AVX-512.
#include "kernels/gemm/int8_avx2.h"

namespace enc::kernels {
namespace {

struct AvxVnni : IntegerAvx2, UnsignedBySigned {
  using IntegerAvx2::store;
  ENC_INLINE I load_weights(const unsigned char* p) { return load_i(p); }
  ENC_INLINE I group(const int8_t* x, size_t) { return set_i32(four_bytes(x)); }
  ENC_INLINE I dot(I sum, I u8, I i8) { return _mm256_dpbusd_avx_epi32(sum, u8, i8); }
  /// 32 values in [-127, 127], rounded to the nearest integers.
  ENC_INLINE I rounded(const F (&part)[4]) {
    return in_order(_mm256_packs_epi16(rounded_i16(part[0], part[1]), rounded_i16(part[2], part[3])));
  }
  ENC_INLINE void store(int8_t* p, I bytes) { store_i(p, bytes); }
  ENC_INLINE int32_t sum_i8(I bytes) {
    return sum_i32(dot(_mm256_setzero_si256(), _mm256_set1_epi8(1), bytes));
  }
};

}  // namespace

extern const GemmKernel gemm_q8_0_avx_vnni;
const GemmKernel gemm_q8_0_avx_vnni = int8_kernel<AvxVnni>("gemm_q8_0_avx_vnni");

}  // namespace enc::kernels
