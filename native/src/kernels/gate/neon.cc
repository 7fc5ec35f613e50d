// gate on 128-bit NEON vectors.
#include "kernels/simd/neon.h"

#include "kernels/gate/gate_rows.h"

namespace enc::kernels {

extern const GateKernel gate_neon;
const GateKernel gate_neon = {"gate_neon", gate_rows<Neon>};

}  // namespace enc::kernels
