// rotate_heads on 256-bit vectors.
#include "kernels/simd/avx2.h"

#include "kernels/rotate_heads/rotate_rows.h"

namespace enc::kernels {

extern const RotateHeadsKernel rotate_heads_avx2;
const RotateHeadsKernel rotate_heads_avx2 = {"rotate_heads_avx2", rotate_heads<Avx2>};

}  // namespace enc::kernels
