// position_scores on 256-bit vectors.
#include "kernels/simd/avx2.h"

#include "kernels/position_scores/score_blocks.h"

namespace enc::kernels {

extern const PositionScoresKernel position_scores_avx2;
const PositionScoresKernel position_scores_avx2 = {"position_scores_avx2", PositionScores<Avx2>::run};

}  // namespace enc::kernels
