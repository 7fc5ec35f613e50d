// add_layer_norm on 256-bit vectors.
#include "kernels/simd/avx2.h"

#include "kernels/add_layer_norm/normalize_row.h"

namespace enc::kernels {

extern const AddLayerNormKernel add_layer_norm_avx2;
const AddLayerNormKernel add_layer_norm_avx2 = {"add_layer_norm_avx2", add_layer_norm<Avx2>};

}  // namespace enc::kernels
