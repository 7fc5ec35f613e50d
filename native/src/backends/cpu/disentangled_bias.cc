#include "backends/cpu/disentangled_bias.h"

#include <algorithm>

namespace enc {
namespace {

size_t rounded(size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

/// Parts of the scratch, in bytes.
struct Layout {
  size_t bias, terms, gemm;
  Layout(const kernels::KernelTable& table, const AttentionSpec& spec, size_t length)
      : bias(rounded(length * length * sizeof(float))),
        terms(rounded(length * size_t(spec.disentangled->positions->rows) * sizeof(float))),
        gemm(rounded(table.gemm_f32->scratch_bytes(length, size_t(spec.head_size)))) {}
};

}  // namespace

size_t disentangled_scratch_bytes(const kernels::KernelTable& table, const AttentionSpec& spec,
                                  size_t length) {
  const Layout layout(table, spec, length);
  return layout.bias + layout.terms + layout.gemm;
}

const float* disentangled_bias(const kernels::KernelTable& table, const AttentionSpec& spec, size_t head,
                               size_t length, const float* q, size_t q_stride, const float* k,
                               size_t k_stride, int64_t only_query, void* scratch) {
  const RelativePositions& positions = *spec.disentangled->positions;
  const PositionTerms& layer = spec.disentangled->layer->position_terms;
  const kernels::GemmKernel& gemm = *table.gemm_f32;
  const size_t rows = size_t(positions.rows);
  const int64_t n = int64_t(length);
  const Layout layout(table, spec, length);
  char* const bytes = static_cast<char*>(scratch);
  float* const bias = reinterpret_cast<float*>(bytes);
  float* const terms = reinterpret_cast<float*>(bytes + layout.bias);
  // Row of the positions for query - key, and the panels that hold the rows of all distances there are.
  const int32_t* row_at = positions.row_of.data() + positions.reach;
  const size_t first_panel = size_t(row_at[1 - n]) / gemm.panel_columns;
  const size_t last_panel = size_t(row_at[n - 1]) / gemm.panel_columns;

  const auto multiply = [&](const float* x, size_t x_stride, size_t count, const AlignedBuffer& packed) {
    kernels::GemmArgs args;
    args.m = count;
    args.n = rows;
    args.k = size_t(spec.head_size);
    args.x = x;
    args.x_stride = x_stride;
    args.packed = packed.data();
    args.y = terms;
    args.y_stride = rows;
    args.panel_begin = first_panel;
    args.panel_end = last_panel + 1;
    args.scratch = bytes + layout.bias + layout.terms;
    gemm.run(args);
  };
  const int64_t first_query = only_query < 0 ? 0 : only_query;
  const int64_t end_query = only_query < 0 ? n : only_query + 1;

  if (spec.disentangled->content_to_position) {
    multiply(q + size_t(first_query) * q_stride, q_stride, size_t(end_query - first_query), layer.keys[head]);
    for (int64_t i = first_query; i < end_query; i++) {
      const float* own = terms + size_t(i - first_query) * rows;
      for (int64_t j = 0; j < n; j++) bias[i * n + j] = own[row_at[i - j]];
    }
  } else {
    std::fill(bias + first_query * n, bias + end_query * n, 0.0f);
  }
  if (spec.disentangled->position_to_content) {
    multiply(k, k_stride, length, layer.queries[head]);
    for (int64_t i = first_query; i < end_query; i++)
      for (int64_t j = 0; j < n; j++) bias[i * n + j] += terms[size_t(j) * rows + size_t(row_at[i - j])];
  }
  for (int64_t i = first_query; i < end_query; i++)
    for (int64_t j = 0; j < n; j++) bias[i * n + j] *= spec.scale;
  return bias;
}

}  // namespace enc
