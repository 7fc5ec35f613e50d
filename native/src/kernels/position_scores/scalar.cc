// The oracle of position_scores and the fallback on all other CPUs.
#include "kernels/position_scores/single_scores.h"

namespace enc::kernels {
namespace {

void run(const PositionScoresArgs& a) noexcept {
  single_scores(a, a.query_begin, a.query_end, 0, a.length);
}

}  // namespace

extern const PositionScoresKernel position_scores_scalar;
const PositionScoresKernel position_scores_scalar = {"position_scores_scalar", run};

}  // namespace enc::kernels
