// bf16 attention on AMX: 2 x 2 tiles of sums, as in gemm/amx_bf16.cc. Rows behind the last query hold what an
// earlier block left there; their results are not read.
#include "kernels/simd/amx_tiles.h"

#include "kernels/attention_varlen/attend_bf16_tiles.h"

namespace enc::kernels {
namespace {

struct TileEngine {
  static void prepare() { configure_tiles(); }

  /// out[rows, vectors * 16] = a[rows, pair_count] . tiles; see DotEngine in avx512_bf16.cc. Rows are at most
  /// 32, and a and out have room for 16 or 32 of them.
  static void product(const uint32_t* a, size_t a_stride, size_t rows, const uint32_t* tiles,
                      size_t step_stride, size_t vector_stride, size_t vectors, size_t pair_count, float* out,
                      size_t out_stride) {
    for (size_t v = 0; v < vectors; v += 2) {
      const TileOperands operands = {.a = a,
                                     .a_below = a + kTileRows * a_stride,
                                     .a_row_bytes = a_stride * sizeof *a,
                                     .a_step = kTileRowBytes,
                                     .b = tiles + v * vector_stride,
                                     .b_step = step_stride * sizeof *tiles,
                                     .b_next_column = vector_stride * sizeof *tiles,
                                     .steps = (pair_count + kPairs - 1) / kPairs};
      multiply_tiles(rows, (vectors - v) * 16, operands, out + v * 16, out_stride, [] {});
    }
  }
};

}  // namespace

extern const AttentionVarlenKernel ENC_AMX_SYMBOL(attention_varlen_bf16_amx_bf16);
const AttentionVarlenKernel ENC_AMX_SYMBOL(attention_varlen_bf16_amx_bf16) = {
    ENC_AMX_NAME(attention_varlen_bf16_amx_bf16), Bf16Attention<TileEngine>::scratch_bytes,
    Bf16Attention<TileEngine>::run};

}  // namespace enc::kernels
