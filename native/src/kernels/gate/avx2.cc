// gate on 256-bit vectors.
#include "kernels/simd/avx2.h"

#include "kernels/gate/gate_rows.h"

namespace enc::kernels {

extern const GateKernel gate_avx2;
const GateKernel gate_avx2 = {"gate_avx2", gate_rows<Avx2>};

}  // namespace enc::kernels
