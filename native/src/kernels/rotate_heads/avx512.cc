// rotate_heads on 512-bit vectors.
#include "kernels/simd/avx512.h"

#include "kernels/rotate_heads/rotate_rows.h"

namespace enc::kernels {

extern const RotateHeadsKernel rotate_heads_avx512;
const RotateHeadsKernel rotate_heads_avx512 = {"rotate_heads_avx512", rotate_heads<Avx512>};

}  // namespace enc::kernels
