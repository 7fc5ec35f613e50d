// embed_tokens on 128-bit NEON vectors.
#include "kernels/simd/neon.h"

#include "kernels/embed_tokens/embed_rows.h"

namespace enc::kernels {

extern const EmbedTokensKernel embed_tokens_neon;
const EmbedTokensKernel embed_tokens_neon = {"embed_tokens_neon", embed_tokens<Neon>};

}  // namespace enc::kernels
