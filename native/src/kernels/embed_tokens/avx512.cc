// embed_tokens on 512-bit vectors.
#include "kernels/simd/avx512.h"

#include "kernels/embed_tokens/embed_rows.h"

namespace enc::kernels {

extern const EmbedTokensKernel embed_tokens_avx512;
const EmbedTokensKernel embed_tokens_avx512 = {"embed_tokens_avx512", embed_tokens<Avx512>};

}  // namespace enc::kernels
