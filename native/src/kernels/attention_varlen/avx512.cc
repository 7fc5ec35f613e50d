// f32 attention on 512-bit vectors.
#include "kernels/simd/avx512.h"

#include "kernels/attention_varlen/attend_panels.h"

namespace enc::kernels {

extern const AttentionVarlenKernel attention_varlen_avx512;
const AttentionVarlenKernel attention_varlen_avx512 = {
    "attention_varlen_avx512", Attention<Avx512>::scratch_bytes, Attention<Avx512>::run};

}  // namespace enc::kernels
