// gate on 512-bit vectors.
#include "kernels/simd/avx512.h"

#include "kernels/gate/gate_rows.h"

namespace enc::kernels {

extern const GateKernel gate_avx512;
const GateKernel gate_avx512 = {"gate_avx512", gate_rows<Avx512>};

}  // namespace enc::kernels
