// f32 attention on 128-bit NEON vectors.
#include "kernels/simd/neon.h"

#include "kernels/attention_varlen/attend_panels.h"

namespace enc::kernels {

extern const AttentionVarlenKernel attention_varlen_neon;
const AttentionVarlenKernel attention_varlen_neon = {"attention_varlen_neon", Attention<Neon>::scratch_bytes,
                                                     Attention<Neon>::run};

}  // namespace enc::kernels
