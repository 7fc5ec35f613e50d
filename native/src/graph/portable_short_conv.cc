#include "graph/portable_short_conv.h"

#include "graph/host_input.h"

namespace enc {
namespace {

/// For each token the row of the one `back` places before it, or as many behind it where that is negative;
/// behind the batch's rows, which are zeros, where its text has none.
ggml_tensor* rows_around(GraphContext& g, const ShortConvHparams& hparams, int64_t back) {
  g.rows_around.resize(hparams.width);
  ggml_tensor*& rows = g.rows_around[size_t(back + hparams.ahead)];
  if (rows == nullptr) {
    const int64_t tokens = g.batch->num_tokens();
    rows = host_input<int32_t>(g, GGML_TYPE_I32, {tokens, 1, 1, 1}, [&](std::vector<int32_t>& values) {
      for (size_t b = 0; b < size_t(g.batch->num_sequences()); b++) {
        const int64_t first = g.batch->cu_seqlens[b], end = g.batch->cu_seqlens[b + 1];
        for (int64_t token = first; token < end; token++) {
          const int64_t place = token - back;
          values.push_back(int32_t(place >= first && place < end ? place : tokens));
        }
      }
    });
  }
  return rows;
}

}  // namespace

size_t max_portable_short_conv_nodes(const Hparams& hparams) {
  return hparams.short_conv.exists() ? 12 + 6 * size_t(hparams.short_conv.width) : 0;
}

ggml_tensor* portable_short_conv(GraphContext& g, ggml_tensor* x, const LayerWeights& layer,
                                 const ShortConvHparams& hparams) {
  ggml_context* ctx = g.ggml;
  const int64_t columns = x->ne[0] / 3, width = hparams.width, ahead = hparams.ahead;
  const auto part = [&](int64_t index) {
    return ggml_view_2d(ctx, x, columns, x->ne[1], x->nb[1], sizeof(float) * size_t(index * columns));
  };
  ggml_tensor* gated = ggml_mul(ctx, ggml_cont(ctx, part(0)), part(2));
  ggml_tensor* taps = ggml_cont(ctx, ggml_transpose(ctx, layer.shortconv));  // {columns, width}
  const auto weighed = [&](ggml_tensor* rows, int64_t back) {
    return ggml_mul(ctx, rows,
                    ggml_view_1d(ctx, taps, columns, taps->nb[1] * size_t(width - 1 - ahead - back)));
  };
  ggml_tensor* y = weighed(gated, 0);
  ggml_tensor* padded = width > 1 ? ggml_pad(ctx, gated, 0, 1, 0, 0) : nullptr;
  for (int64_t back = -ahead; back < width - ahead; back++) {
    if (back != 0)
      y = ggml_add(ctx, y, weighed(ggml_get_rows(ctx, padded, rows_around(g, hparams, back)), back));
  }
  if (layer.shortconv_bias != nullptr) y = ggml_add(ctx, y, layer.shortconv_bias);
  return ggml_mul(ctx, y, part(1));
}

}  // namespace enc
