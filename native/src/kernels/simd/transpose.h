// A square block of f32, one vector wide, transposed in registers: what turns rows of keys or weights into
// panels.
#pragma once

#include "kernels/simd/inline.h"

#if defined(__aarch64__)
#include "kernels/simd/neon.h"
#else
#if defined(__AVX512F__)
#include "kernels/simd/avx512.h"
#endif
#include "kernels/simd/avx2.h"
#endif

namespace enc::kernels {
namespace {

#if defined(__aarch64__)
/// to[c * to_stride + r] = from[r * from_stride + c] for r, c in [0, 4).
ENC_INLINE void transpose_block(Neon, const float* from, size_t from_stride, float* to, size_t to_stride) {
  float64x2_t a[4];  // two neighbouring columns of rows 0, 1 (or 2, 3) in each half
  ENC_UNROLL for (size_t r = 0; r < 4; r += 2) {
    const float32x4_t even = vld1q_f32(from + r * from_stride), odd = vld1q_f32(from + (r + 1) * from_stride);
    a[r] = vreinterpretq_f64_f32(vtrn1q_f32(even, odd));      // columns 0 and 2
    a[r + 1] = vreinterpretq_f64_f32(vtrn2q_f32(even, odd));  // columns 1 and 3
  }
  ENC_UNROLL for (size_t c = 0; c < 2; c++) {
    vst1q_f32(to + c * to_stride, vreinterpretq_f32_f64(vtrn1q_f64(a[c], a[c + 2])));
    vst1q_f32(to + (c + 2) * to_stride, vreinterpretq_f32_f64(vtrn2q_f64(a[c], a[c + 2])));
  }
}
#else
/// to[c * to_stride + r] = from[r * from_stride + c] for r, c in [0, 8).
ENC_INLINE void transpose_block(Avx2, const float* from, size_t from_stride, float* to, size_t to_stride) {
  __m256 a[8], b[8];
  // Halves of rows r and r + 4 side by side, so that everything else stays inside 128-bit lanes.
  ENC_UNROLL for (size_t r = 0; r < 4; r++) {
    ENC_UNROLL for (size_t half = 0; half < 2; half++) {
      const __m256 low = _mm256_castps128_ps256(_mm_loadu_ps(from + r * from_stride + half * 4));
      a[half * 4 + r] = _mm256_insertf128_ps(low, _mm_loadu_ps(from + (r + 4) * from_stride + half * 4), 1);
    }
  }
  ENC_UNROLL for (size_t half = 0; half < 8; half += 4) {
    b[half + 0] = _mm256_unpacklo_ps(a[half + 0], a[half + 1]);
    b[half + 1] = _mm256_unpackhi_ps(a[half + 0], a[half + 1]);
    b[half + 2] = _mm256_unpacklo_ps(a[half + 2], a[half + 3]);
    b[half + 3] = _mm256_unpackhi_ps(a[half + 2], a[half + 3]);
    _mm256_storeu_ps(to + (half + 0) * to_stride, _mm256_shuffle_ps(b[half + 0], b[half + 2], 0x44));
    _mm256_storeu_ps(to + (half + 1) * to_stride, _mm256_shuffle_ps(b[half + 0], b[half + 2], 0xee));
    _mm256_storeu_ps(to + (half + 2) * to_stride, _mm256_shuffle_ps(b[half + 1], b[half + 3], 0x44));
    _mm256_storeu_ps(to + (half + 3) * to_stride, _mm256_shuffle_ps(b[half + 1], b[half + 3], 0xee));
  }
}

#if defined(__AVX512F__)
/// to[c * to_stride + r] = from[r * from_stride + c] for r, c in [0, 16).
ENC_INLINE void transpose_block(Avx512, const float* from, size_t from_stride, float* to, size_t to_stride) {
  // Quarters (4 columns) of rows r, r + 4, r + 8, r + 12 side by side; then each quarter is a 4 x 4 in every
  // lane.
  ENC_UNROLL for (size_t quarter = 0; quarter < 16; quarter += 4) {
    __m512 a[4];
    ENC_UNROLL for (size_t r = 0; r < 4; r++) {
      const float* p = from + r * from_stride + quarter;
      __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(p));
      v = _mm512_insertf32x4(v, _mm_loadu_ps(p + 4 * from_stride), 1);
      v = _mm512_insertf32x4(v, _mm_loadu_ps(p + 8 * from_stride), 2);
      a[r] = _mm512_insertf32x4(v, _mm_loadu_ps(p + 12 * from_stride), 3);
    }
    const __m512 low01 = _mm512_unpacklo_ps(a[0], a[1]), high01 = _mm512_unpackhi_ps(a[0], a[1]);
    const __m512 low23 = _mm512_unpacklo_ps(a[2], a[3]), high23 = _mm512_unpackhi_ps(a[2], a[3]);
    _mm512_storeu_ps(to + (quarter + 0) * to_stride, _mm512_shuffle_ps(low01, low23, 0x44));
    _mm512_storeu_ps(to + (quarter + 1) * to_stride, _mm512_shuffle_ps(low01, low23, 0xee));
    _mm512_storeu_ps(to + (quarter + 2) * to_stride, _mm512_shuffle_ps(high01, high23, 0x44));
    _mm512_storeu_ps(to + (quarter + 3) * to_stride, _mm512_shuffle_ps(high01, high23, 0xee));
  }
}
#endif
#endif

/// One vector's width of rows, each `count` >= width lanes of 32 bits, into a panel: lane c of row r goes to
/// to[c * to_stride + r]. The last block overlaps the one before it.
template <class S>
void pack_lanes(const float* from, size_t from_stride, size_t count, float* to, size_t to_stride) {
  for (size_t i = 0; i < count; i += S::kWidth) {
    const size_t begin = min_size(i, count - S::kWidth);
    transpose_block(S{}, from + begin, from_stride, to + begin * to_stride, to_stride);
  }
}

}  // namespace
}  // namespace enc::kernels
