// bf16 attention on VDPBF16PS: tiles of 8 rows x 3 vectors of sums, as in gemm/avx512_bf16.cc.
#include "kernels/simd/avx512.h"

#include "kernels/attention_varlen/attend_bf16_tiles.h"

namespace enc::kernels {
namespace {

struct DotEngine {
  static void prepare() {}

  template <size_t Rows, size_t Vectors>
  static void tile(const uint32_t* a, size_t a_stride, const uint32_t* b, size_t step_stride,
                   size_t vector_stride, size_t pair_count, float* out, size_t out_stride) {
    __m512 sum[Rows][Vectors];
    ENC_UNROLL for (size_t r = 0; r < Rows; r++) {
      ENC_UNROLL for (size_t v = 0; v < Vectors; v++) sum[r][v] = _mm512_setzero_ps();
    }
    for (size_t begin = 0; begin < pair_count; begin += kPairs, b += step_stride) {
      const size_t end = min_size(begin + kPairs, pair_count);
      const uint32_t* lane = b;
      for (size_t i = begin; i < end; i++, lane += 16) {
        __m512i column[Vectors];
        ENC_UNROLL for (size_t v = 0; v < Vectors; v++) column[v] =
            _mm512_loadu_si512(lane + v * vector_stride);
        ENC_UNROLL for (size_t r = 0; r < Rows; r++) {
          const __m512i pair = _mm512_set1_epi32(static_cast<int>(a[r * a_stride + i]));
          ENC_UNROLL for (size_t v = 0; v < Vectors; v++) {
            sum[r][v] = _mm512_dpbf16_ps(sum[r][v], (__m512bh)column[v], (__m512bh)pair);
          }
        }
      }
    }
    ENC_UNROLL for (size_t r = 0; r < Rows; r++) {
      ENC_UNROLL for (size_t v = 0; v < Vectors; v++)
          _mm512_storeu_ps(out + r * out_stride + v * 16, sum[r][v]);
    }
  }

  using Tile = void (*)(const uint32_t*, size_t, const uint32_t*, size_t, size_t, size_t, float*, size_t);
  static constexpr size_t kRows = 8, kVectors = 3;
#define ENC_ROW(r) \
  { tile<r, 1>, tile<r, 2>, tile<r, 3> }
  static constexpr Tile kTiles[kRows][kVectors] = {ENC_ROW(1), ENC_ROW(2), ENC_ROW(3), ENC_ROW(4),
                                                   ENC_ROW(5), ENC_ROW(6), ENC_ROW(7), ENC_ROW(8)};
#undef ENC_ROW

  /// out[rows, vectors * 16] = a[rows, pair_count] . tiles. Strides in 32-bit words: of a's rows, between a
  /// column's tiles (16 pairs each), between columns (16 wide each).
  static void product(const uint32_t* a, size_t a_stride, size_t rows, const uint32_t* tiles,
                      size_t step_stride, size_t vector_stride, size_t vectors, size_t pair_count, float* out,
                      size_t out_stride) {
    const size_t groups = (vectors + kVectors - 1) / kVectors, width = (vectors + groups - 1) / groups;
    for (size_t v = 0; v < vectors; v += width) {
      const size_t count = min_size(width, vectors - v);
      for (size_t r = 0; r < rows; r += kRows) {
        kTiles[min_size(kRows, rows - r) - 1][count - 1](
            a + r * a_stride, a_stride, tiles + v * vector_stride, step_stride, vector_stride, pair_count,
            out + r * out_stride + v * 16, out_stride);
      }
    }
  }
};

}  // namespace

extern const AttentionVarlenKernel attention_varlen_bf16_avx512_bf16;
const AttentionVarlenKernel attention_varlen_bf16_avx512_bf16 = {"attention_varlen_bf16_avx512_bf16",
                                                                 Bf16Attention<DotEngine>::scratch_bytes,
                                                                 Bf16Attention<DotEngine>::run};

}  // namespace enc::kernels
