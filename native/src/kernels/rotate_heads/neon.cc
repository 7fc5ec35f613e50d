// rotate_heads on 128-bit NEON vectors.
#include "kernels/simd/neon.h"

#include "kernels/rotate_heads/rotate_rows.h"

namespace enc::kernels {

extern const RotateHeadsKernel rotate_heads_neon;
const RotateHeadsKernel rotate_heads_neon = {"rotate_heads_neon", rotate_heads<Neon>};

}  // namespace enc::kernels
