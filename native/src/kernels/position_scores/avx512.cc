// position_scores on 512-bit vectors.
#include "kernels/simd/avx512.h"

#include "kernels/position_scores/score_blocks.h"

namespace enc::kernels {

extern const PositionScoresKernel position_scores_avx512;
const PositionScoresKernel position_scores_avx512 = {"position_scores_avx512", PositionScores<Avx512>::run};

}  // namespace enc::kernels
