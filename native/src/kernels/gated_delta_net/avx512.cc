// gated_delta_net on 512-bit vectors.
#include "kernels/simd/avx512.h"

#include "kernels/gated_delta_net/delta_heads.h"

namespace enc::kernels {

extern const GatedDeltaNetKernel gated_delta_net_avx512;
const GatedDeltaNetKernel gated_delta_net_avx512 = {"gated_delta_net_avx512", delta_state_bytes<Avx512>,
                                                    delta_scratch_bytes<Avx512>, delta_head<Avx512>};

}  // namespace enc::kernels
