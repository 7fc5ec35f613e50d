// gated_delta_net on 256-bit vectors.
#include "kernels/simd/avx2.h"

#include "kernels/gated_delta_net/delta_heads.h"

namespace enc::kernels {

extern const GatedDeltaNetKernel gated_delta_net_avx2;
const GatedDeltaNetKernel gated_delta_net_avx2 = {"gated_delta_net_avx2", delta_state_bytes<Avx2>,
                                                  delta_scratch_bytes<Avx2>, delta_head<Avx2>};

}  // namespace enc::kernels
