// add_layer_norm on 128-bit NEON vectors.
#include "kernels/simd/neon.h"

#include "kernels/add_layer_norm/normalize_row.h"

namespace enc::kernels {

extern const AddLayerNormKernel add_layer_norm_neon;
const AddLayerNormKernel add_layer_norm_neon = {"add_layer_norm_neon", add_layer_norm<Neon>};

}  // namespace enc::kernels
