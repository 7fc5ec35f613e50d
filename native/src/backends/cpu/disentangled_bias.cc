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

/// y[count, rows] = x . packed^T + bias, but for the panels that hold no row of [first, last]; `bias` may be
/// null.
struct PositionProduct {
  const RelativePositions& positions;
  size_t head_size;
  size_t stride;
  void* scratch;

  void run(const float* x, size_t x_stride, size_t count, const AlignedBuffer& packed, const float* bias,
           size_t first, size_t last, float* y) const {
    const kernels::GemmKernel& gemm = *positions.kernel;
    kernels::GemmArgs args;
    args.m = count;
    args.n = size_t(positions.rows);
    args.k = head_size;
    args.x = x;
    args.x_stride = x_stride;
    args.packed = packed.data();
    args.bias = bias;
    args.y = y;
    args.y_stride = stride;
    args.panel_begin = first / gemm.panel_columns;
    args.panel_end = last / gemm.panel_columns + 1;
    args.scratch = scratch;
    gemm.run(args);
  }
};

/// Where the run of tokens of one segment ends that `begin` is the first of.
size_t segment_end(const DisentangledArgs& a, size_t begin) {
  size_t end = begin + 1;
  while (end < a.length && a.segments[end] == a.segments[begin]) end++;
  return end;
}

/// Adds those of queries [query_begin, query_end): segments are long, and most tokens of a text share one.
void add_segment_scores(const DisentangledArgs& a, float scale, size_t query_begin, size_t query_end,
                        float* scores) {
  for (size_t first = 0, end = 0; first < a.length; first = end) {
    end = segment_end(a, first);
    for (size_t query = query_begin; query < query_end; query++) {
      if (a.segments[query] == a.segments[first]) continue;
      const float score = a.segment_scores[query * a.segment_stride] * scale;
      float* const line = scores + query * a.length;
      for (size_t key = first; key < end; key++) line[key] += score;
    }
  }
}

}  // namespace

size_t disentangled_scratch_bytes(const AttentionSpec& spec, size_t length) {
  return Layout(*spec.disentangled->positions, size_t(spec.head_size), length).total;
}

const float* disentangled_bias(const kernels::PositionScoresKernel& kernel, const AttentionSpec& spec,
                               const DisentangledArgs& a) {
  const RelativePositions& positions = *spec.disentangled->positions;
  const PositionTerms& layer = spec.disentangled->layer->position_terms;
  const Layout layout(positions, size_t(spec.head_size), a.length);
  char* const bytes = static_cast<char*>(a.scratch);
  float* const by_query = reinterpret_cast<float*>(bytes + layout.bias);
  float* const by_key = reinterpret_cast<float*>(bytes + layout.bias + layout.by_query);
  const PositionProduct product{positions, size_t(spec.head_size), layout.terms_stride,
                                bytes + layout.bias + layout.by_query + layout.by_key};

  kernels::PositionScoresArgs args;
  args.length = a.length;
  args.rows = positions.row_of.data() + positions.reach;
  args.linear = size_t(positions.linear);
  args.scale = spec.scale;
  args.scores = reinterpret_cast<float*>(bytes);
  args.scores_stride = a.length;
  const size_t last_row = size_t(positions.rows) - 1;
  // The row of the distance of query and key.
  const auto row = [&](size_t query, size_t key) {
    return size_t(positions.row(int64_t(query) - int64_t(key)));
  };
  if (spec.disentangled->position_to_content) {
    product.run(a.k, a.k_stride, a.length, layer.queries[a.head], nullptr, row(0, a.length - 1),
                row(a.length - 1, 0), by_key);
    args.by_key = by_key, args.by_key_stride = layout.terms_stride;
  }
  const float* const key_biases =
      layer.key_biases.empty() ? nullptr : &layer.key_biases[a.head * size_t(positions.rows)];
  const size_t query_begin = a.only_query < 0 ? 0 : size_t(a.only_query);
  const size_t query_end = a.only_query < 0 ? a.length : query_begin + 1;
  for (size_t query = query_begin; query < query_end; query += kQueryBlock) {
    args.query_begin = query;
    args.query_end = std::min(query + kQueryBlock, query_end);
    if (spec.disentangled->content_to_position) {
      product.run(a.q + query * a.q_stride, a.q_stride, args.query_end - query, layer.keys[a.head],
                  key_biases, last_row - row(args.query_end - 1, 0), last_row - row(query, a.length - 1),
                  by_query);
      args.by_query = by_query + last_row, args.by_query_stride = layout.terms_stride;
    }
    kernel.run(args);
  }
  if (a.segment_scores != nullptr) add_segment_scores(a, spec.scale, query_begin, query_end, args.scores);
  return args.scores;
}

}  // namespace enc
