// gated_delta_net on 128-bit NEON vectors.
#include "kernels/simd/neon.h"

#include "kernels/gated_delta_net/delta_heads.h"

namespace enc::kernels {

extern const GatedDeltaNetKernel gated_delta_net_neon;
const GatedDeltaNetKernel gated_delta_net_neon = {"gated_delta_net_neon", delta_state_bytes<Neon>,
                                                  delta_scratch_bytes<Neon>, delta_head<Neon>};

}  // namespace enc::kernels
