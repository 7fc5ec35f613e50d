// f32 attention on 256-bit vectors.
#include "kernels/simd/avx2.h"

#include "kernels/attention_varlen/attend_panels.h"

namespace enc::kernels {

extern const AttentionVarlenKernel attention_varlen_avx2;
const AttentionVarlenKernel attention_varlen_avx2 = {"attention_varlen_avx2", Attention<Avx2>::scratch_bytes,
                                                     Attention<Avx2>::run};

}  // namespace enc::kernels
