// embed_tokens on 256-bit vectors.
#include "kernels/simd/avx2.h"

#include "kernels/embed_tokens/embed_rows.h"

namespace enc::kernels {

extern const EmbedTokensKernel embed_tokens_avx2;
const EmbedTokensKernel embed_tokens_avx2 = {"embed_tokens_avx2", embed_tokens<Avx2>};

}  // namespace enc::kernels
