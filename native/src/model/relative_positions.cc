#include "model/relative_positions.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace enc {
namespace {

/// Logarithmic buckets, in f32 as transformers computes them: distances up to half the buckets
/// stand for themselves.
int64_t bucket_of(int64_t distance, const Hparams& h) {
  const int64_t half = h.position_buckets / 2, length = std::abs(distance);
  if (h.position_buckets == 0 || length <= half) return distance;
  const float steps = std::log(float(length) / float(half)) /
                      std::log(float(double(h.max_relative_positions - 1) / double(half)));
  const int64_t bucket = int64_t(std::ceil(steps * float(half - 1))) + half;
  return distance < 0 ? -bucket : bucket;
}

/// Rows of one half of the embeddings.
int64_t rows_either_way(const Hparams& h) {
  const int64_t span = h.position_span();
  // Of what is computed, as many as texts have distances.
  return h.position_frequencies.empty() ? span : std::min(span, int64_t(h.max_length));
}

/// y[rows, out] = linear(x[rows, in]) on our kernels.
std::vector<float> run_linear(const Linear& linear, const float* x, size_t rows) {
  std::vector<float> y(rows * size_t(linear.out));
  const AlignedBuffer scratch(std::max<size_t>(64, linear.kernel->scratch_bytes(rows, size_t(linear.in))));
  kernels::GemmArgs args;
  args.m = rows;
  args.n = size_t(linear.out);
  args.k = size_t(linear.in);
  args.x = x;
  args.x_stride = args.k;
  args.packed = linear.packed.data();
  args.bias = linear.bias == nullptr ? nullptr : static_cast<const float*>(linear.bias->data);
  args.y = y.data();
  args.y_stride = args.n;
  args.scratch = scratch.data();
  linear.kernel->run(args);
  return y;
}

/// The columns of each head of `projected`, f32[rows, stride], packed for `gemm`, whose weights are f32 or
/// bf16; the last row first when `reversed`.
std::vector<AlignedBuffer> pack_heads(const float* projected, size_t stride, size_t rows, bool reversed,
                                      const Hparams& h, const kernels::GemmKernel& gemm) {
  std::vector<AlignedBuffer> packed;
  const size_t d = h.head_size;
  std::vector<float> head_rows(rows * d);
  std::vector<ggml_bf16_t> rounded(gemm.type == kernels::WeightType::kBf16 ? rows * d : 0);
  for (size_t head = 0; head < h.num_heads; head++) {
    for (size_t row = 0; row < rows; row++)
      std::copy_n(projected + row * stride + head * d, d, &head_rows[(reversed ? rows - 1 - row : row) * d]);
    const void* source = head_rows.data();
    if (!rounded.empty()) {
      ggml_fp32_to_bf16_row(head_rows.data(), rounded.data(), int64_t(rounded.size()));
      source = rounded.data();
    }
    packed.emplace_back(gemm.packed_bytes(rows, d));
    gemm.pack(source, 0, rows, rows, d, packed.back().data());
  }
  return packed;
}

/// For each head and row the product of `shift`, f32[heads, D], with the row's columns of that head; the last
/// row first.
std::vector<float> project_shift(const float* shift, const float* projected, size_t stride, size_t rows,
                                 const Hparams& h) {
  std::vector<float> products;
  for (size_t head = 0; head < h.num_heads; head++) {
    for (size_t row = rows; row-- > 0;) {
      const float* const columns = projected + row * stride + head * h.head_size;
      double sum = 0;
      for (size_t i = 0; i < h.head_size; i++)
        sum += double(shift[head * h.head_size + i]) * double(columns[i]);
      products.push_back(float(sum));
    }
  }
  return products;
}

}  // namespace

RelativePositions declare_relative_positions(TensorContract& contract, const Hparams& h) {
  const int64_t span = rows_either_way(h);
  RelativePositions positions;
  positions.rows = 2 * span;
  positions.reach = int64_t(h.max_length) - 1;
  positions.embd = h.position_frequencies.empty()
                       ? contract.f32_matrix("rel_embd.weight", h.hidden_size, positions.rows)
                       : contract.extra_matrix("distances", h.hidden_size, positions.rows);
  for (int64_t distance = -positions.reach; distance <= positions.reach; distance++) {
    positions.row_of.push_back(
        int32_t(std::clamp<int64_t>(bucket_of(distance, h) + span, 0, positions.rows - 1)));
  }
  const auto is_linear = [&positions](int64_t distance) {
    return positions.row(distance) == positions.row(0) + distance &&
           positions.row(-distance) == positions.row(0) - distance;
  };
  while (positions.linear < positions.reach && is_linear(positions.linear + 1)) positions.linear++;
  return positions;
}

void fill_relative_positions(const Hparams& h, RelativePositions& positions) {
  // Row 0 is of no distance that has a row of its own.
  const int64_t span = positions.rows / 2;
  std::vector<float> columns;
  for (int64_t row = 0; row < positions.rows; row++) {
    const float distance = float(std::max(row - span, 1 - span));
    columns.clear();
    for (const bool is_sine : {true, false}) {
      for (const float frequency : h.position_frequencies) {
        const double angle = double(distance * frequency);
        columns.push_back(float(is_sine ? std::sin(angle) : std::cos(angle)));
      }
    }
    const size_t bytes = columns.size() * sizeof(float);
    ggml_backend_tensor_set(positions.embd, columns.data(), size_t(row) * bytes, bytes);
  }
}

void project_positions(Weights& weights, const Hparams& h) {
  const auto* embd = static_cast<const float*>(weights.relative_positions.embd->data);
  const size_t rows = size_t(weights.relative_positions.rows);
  for (LayerWeights& block : weights.blocks) {
    const auto project = [&](const Linear& own, size_t shared_column, bool reversed) {
      const Linear& linear = own.out > 0 ? own : block.attn_qkv;
      const std::vector<float> projected = run_linear(linear, embd, rows);
      const float* const columns = projected.data() + (own.out > 0 ? 0 : shared_column);
      if (reversed && block.attn_pos_query != nullptr) {
        const auto* shift = static_cast<const float*>(block.attn_pos_query->data);
        block.position_terms.key_biases = project_shift(shift, columns, size_t(linear.out), rows, h);
      }
      return pack_heads(columns, size_t(linear.out), rows, reversed, h, *weights.relative_positions.kernel);
    };
    if (h.content_to_position) block.position_terms.keys = project(block.attn_pos_k, h.query_size(), true);
    if (h.position_to_content) block.position_terms.queries = project(block.attn_pos_q, 0, false);
  }
}

}  // namespace enc
