// add_layer_norm on 512-bit vectors.
#include "kernels/simd/avx512.h"

#include "kernels/add_layer_norm/normalize_row.h"

namespace enc::kernels {

extern const AddLayerNormKernel add_layer_norm_avx512;
const AddLayerNormKernel add_layer_norm_avx512 = {"add_layer_norm_avx512", add_layer_norm<Avx512>};

}  // namespace enc::kernels
