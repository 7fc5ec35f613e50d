// position_scores on 128-bit NEON vectors.
#include "kernels/simd/neon.h"

#include "kernels/position_scores/score_blocks.h"

namespace enc::kernels {

extern const PositionScoresKernel position_scores_neon;
const PositionScoresKernel position_scores_neon = {"position_scores_neon", PositionScores<Neon>::run};

}  // namespace enc::kernels
