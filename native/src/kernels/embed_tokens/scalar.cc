// The oracle of embed_tokens and the fallback on all other CPUs.
#include "kernels/embed_tokens/embed_tokens.h"
#include "kernels/gemm/stored_weight.h"

namespace enc::kernels {

extern const AddLayerNormKernel add_layer_norm_scalar;

namespace {

void add_stored_row(const EmbeddingTable& table, size_t index, size_t columns, float by, float* y) {
  const auto* row =
      static_cast<const unsigned char*>(table.rows) + index * weight_row_bytes(table.type, columns);
  for (size_t i = 0; i < columns; i++) y[i] += by * stored_weight(table.type, row, i);
}

void run(const EmbedTokensArgs& a) noexcept {
  for (size_t t = 0; t < a.tokens; t++) {
    float* y = a.y + t * a.y_stride;
    for (size_t i = 0; i < a.columns; i++) y[i] = 0;
    add_stored_row(a.words, static_cast<size_t>(a.word_ids[t]), a.columns,
                   a.word_scales ? a.word_scales[t] : a.word_scale, y);
    if (a.types.rows)
      add_stored_row(a.types, a.type_ids ? static_cast<size_t>(a.type_ids[t]) : 0, a.columns, 1, y);
    if (a.positions.rows)
      add_stored_row(a.positions, static_cast<size_t>(a.position_ids[t]), a.columns, 1, y);
  }
  if (!a.normalize) return;
  AddLayerNormArgs norm;
  norm.rows = a.tokens;
  norm.columns = a.columns;
  norm.y = a.y;
  norm.x = a.y;
  norm.x_stride = norm.y_stride = a.y_stride;
  norm.gamma = a.gamma;
  norm.beta = a.beta;
  norm.eps = a.eps;
  norm.kind = a.kind;
  add_layer_norm_scalar.run(norm);
}

}  // namespace

extern const EmbedTokensKernel embed_tokens_scalar;
const EmbedTokensKernel embed_tokens_scalar = {"embed_tokens_scalar", run};

}  // namespace enc::kernels
