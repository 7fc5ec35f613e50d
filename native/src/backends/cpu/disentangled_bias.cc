#include "backends/cpu/disentangled_bias.h"

#include <algorithm>

namespace enc {
namespace {

/// Queries whose products with the positions are computed at a time: they stay in the cache until they are
/// read.
constexpr size_t kQueryBlock = 64;

/// Parts of the scratch, in bytes.
struct Layout {
  size_t terms_stride;  // in floats
  size_t bias, by_query, by_key, gemm, total;
  Layout(const RelativePositions& positions, size_t head_size, size_t length)
      // Rows a power of two apart would fall into the same few cache sets.
      : terms_stride(size_t(positions.rows) + 16),
        bias(GGML_PAD(length * length * sizeof(float), 64)),
        by_query(GGML_PAD(std::min(length, kQueryBlock) * terms_stride * sizeof(float), 64)),
        by_key(GGML_PAD(length * terms_stride * sizeof(float), 64)),
        gemm(positions.kernel->scratch_bytes(length, head_size)),
        total(bias + by_query + by_key + gemm) {}
};

/// y[count, rows] = x . packed^T, but for the panels that hold no row of [first, last].
struct PositionProduct {
  const RelativePositions& positions;
  size_t head_size;
  size_t stride;
  void* scratch;

  void run(const float* x, size_t x_stride, size_t count, const AlignedBuffer& packed, size_t first,
           size_t last, float* y) const {
    const kernels::GemmKernel& gemm = *positions.kernel;
    kernels::GemmArgs args;
    args.m = count;
    args.n = size_t(positions.rows);
    args.k = head_size;
    args.x = x;
    args.x_stride = x_stride;
    args.packed = packed.data();
    args.y = y;
    args.y_stride = stride;
    args.panel_begin = first / gemm.panel_columns;
    args.panel_end = last / gemm.panel_columns + 1;
    args.scratch = scratch;
    gemm.run(args);
  }
};

}  // namespace

size_t disentangled_scratch_bytes(const AttentionSpec& spec, size_t length) {
  return Layout(*spec.disentangled->positions, size_t(spec.head_size), length).total;
}

const float* disentangled_bias(const kernels::PositionScoresKernel& kernel, const AttentionSpec& spec,
                               size_t head, size_t length, const float* q, size_t q_stride, const float* k,
                               size_t k_stride, int64_t only_query, void* scratch) {
  const RelativePositions& positions = *spec.disentangled->positions;
  const PositionTerms& layer = spec.disentangled->layer->position_terms;
  const Layout layout(positions, size_t(spec.head_size), length);
  char* const bytes = static_cast<char*>(scratch);
  float* const by_query = reinterpret_cast<float*>(bytes + layout.bias);
  float* const by_key = reinterpret_cast<float*>(bytes + layout.bias + layout.by_query);
  const PositionProduct product{positions, size_t(spec.head_size), layout.terms_stride,
                                bytes + layout.bias + layout.by_query + layout.by_key};

  kernels::PositionScoresArgs args;
  args.length = length;
  args.rows = positions.row_of.data() + positions.reach;
  args.linear = size_t(positions.linear);
  args.scale = spec.scale;
  args.scores = reinterpret_cast<float*>(bytes);
  args.scores_stride = length;
  // The rows of all distances there are.
  const size_t last_row = size_t(positions.rows) - 1;
  const size_t least = size_t(positions.row(1 - int64_t(length))),
               most = size_t(positions.row(int64_t(length) - 1));
  if (spec.disentangled->position_to_content) {
    product.run(k, k_stride, length, layer.queries[head], least, most, by_key);
    args.by_key = by_key, args.by_key_stride = layout.terms_stride;
  }
  const size_t query_begin = only_query < 0 ? 0 : size_t(only_query);
  const size_t query_end = only_query < 0 ? length : query_begin + 1;
  for (size_t query = query_begin; query < query_end; query += kQueryBlock) {
    args.query_begin = query;
    args.query_end = std::min(query + kQueryBlock, query_end);
    if (spec.disentangled->content_to_position) {
      product.run(q + query * q_stride, q_stride, args.query_end - query, layer.keys[head], last_row - most,
                  last_row - least, by_query);
      args.by_query = by_query + last_row, args.by_query_stride = layout.terms_stride;
    }
    kernel.run(args);
  }
  return args.scores;
}

}  // namespace enc
