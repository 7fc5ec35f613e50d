#include "graph/portable_short_conv.h"

#include "graph/host_input.h"

namespace enc {
namespace {

/// For each token the row of the one `back` places before it; behind the batch's rows, which are zeros, where
/// its text has none.
ggml_tensor* rows_before(GraphContext& g, int64_t back) {
  const auto index = size_t(back - 1);
  if (g.rows_before.size() <= index) g.rows_before.resize(index + 1);
  if (g.rows_before[index] == nullptr) {
    const int64_t tokens = g.batch->num_tokens();
    g.rows_before[index] =
        host_input<int32_t>(g, GGML_TYPE_I32, {tokens, 1, 1, 1}, [&](std::vector<int32_t>& values) {
          for (size_t b = 0; b < size_t(g.batch->num_sequences()); b++) {
            const int32_t first = g.batch->cu_seqlens[b];
            for (int32_t token = first; token < g.batch->cu_seqlens[b + 1]; token++)
              values.push_back(token - back >= first ? int32_t(token - back) : int32_t(tokens));
          }
        });
  }
  return g.rows_before[index];
}

}  // namespace

size_t max_portable_short_conv_nodes(const Hparams& hparams) {
  return hparams.short_conv.exists() ? 12 + 6 * size_t(hparams.short_conv.width) : 0;
}

ggml_tensor* portable_short_conv(GraphContext& g, ggml_tensor* x, const LayerWeights& layer) {
  ggml_context* ctx = g.ggml;
  const int64_t columns = x->ne[0] / 3, width = layer.shortconv->ne[0];
  const auto part = [&](int64_t index) {
    return ggml_view_2d(ctx, x, columns, x->ne[1], x->nb[1], sizeof(float) * size_t(index * columns));
  };
  ggml_tensor* gated = ggml_mul(ctx, ggml_cont(ctx, part(0)), part(2));
  ggml_tensor* taps = ggml_cont(ctx, ggml_transpose(ctx, layer.shortconv));  // {columns, width}
  const auto weighed = [&](ggml_tensor* rows, int64_t back) {
    return ggml_mul(ctx, rows, ggml_view_1d(ctx, taps, columns, taps->nb[1] * size_t(width - 1 - back)));
  };
  ggml_tensor* y = weighed(gated, 0);
  ggml_tensor* padded = width > 1 ? ggml_pad(ctx, gated, 0, 1, 0, 0) : nullptr;
  for (int64_t back = 1; back < width; back++)
    y = ggml_add(ctx, y, weighed(ggml_get_rows(ctx, padded, rows_before(g, back)), back));
  if (layer.shortconv_bias != nullptr) y = ggml_add(ctx, y, layer.shortconv_bias);
  return ggml_mul(ctx, y, part(1));
}

}  // namespace enc
