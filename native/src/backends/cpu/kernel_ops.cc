#include "backends/cpu/kernel_ops.h"

#include <algorithm>
#include <optional>

#include "backends/cpu/custom_node.h"
#include "backends/cpu/reduce_rows.h"
#include "backends/cpu/short_conv.h"
#include "model/stored_types.h"

namespace enc {
namespace {

/// Rows of one task, so that a task's activations stay in the second-level cache.
constexpr size_t kRowsPerTask = 256;

static_assert(kRowsPerTask % kernels::kPreparedRows == 0);

/// Multiply-adds that rounding one element of x takes as long as.
constexpr double kPreparationCost = 16;

/// Rows of a table that our kernels cannot read, widened at a time.
constexpr size_t kRowsPerGather = 16;

/// The word rows of the tokens, widened to f32 a few at a time: the table stays as the file stores it.
void embed_widened(const kernels::EmbedTokensKernel& kernel, kernels::EmbedTokensArgs args,
                   const ggml_tensor& words, float* rows) {
  int32_t row_of[kRowsPerGather];
  for (size_t i = 0; i < kRowsPerGather; i++) row_of[i] = int32_t(i);
  const auto to_float = ggml_get_type_traits(words.type)->to_float;
  const kernels::EmbedTokensArgs all = args;
  args.words = {rows, kernels::WeightType::kF32};
  args.word_ids = row_of;
  for (size_t first = 0; first < all.tokens; first += kRowsPerGather) {
    args.tokens = std::min(kRowsPerGather, all.tokens - first);
    for (size_t i = 0; i < args.tokens; i++) {
      const size_t row = size_t(all.word_ids[first + i]);
      to_float(static_cast<const char*>(words.data) + row * words.nb[1], rows + i * args.columns,
               int64_t(args.columns));
    }
    if (all.word_scales != nullptr) args.word_scales = all.word_scales + first;
    args.position_ids = all.position_ids + first;
    args.type_ids = all.type_ids + first;
    args.y = all.y + first * all.y_stride;
    kernel.run(args);
  }
}

/// A product's tasks: blocks of rows, and of each block shares of the panels.
struct Shares {
  size_t rows = kRowsPerTask, row_tasks = 1, panel_tasks = 1;
};

Shares share_out(size_t m, size_t panels, size_t members) {
  Shares shares;
  const auto row_tasks = [&] { return (m + shares.rows - 1) / shares.rows; };
  // A matrix of fewer panels than members keeps the others busy with smaller blocks.
  while (shares.rows > kernels::kPreparedRows && panels * row_tasks() < members) shares.rows /= 2;
  shares.row_tasks = row_tasks();
  // Four tasks a member even out helpers that come late.
  const size_t wanted = members > 1 ? members * 4 : 1;
  shares.panel_tasks = std::min(panels, (wanted + shares.row_tasks - 1) / shares.row_tasks);
  return shares;
}

char* prepared_row(const GraphContext& g, const kernels::GemmKernel& kernel, size_t row, size_t k) {
  return static_cast<char*>(g.scratch->shared()) + kernel.prepared_bytes(row, k);
}

/// Rounds the rows of x for all tasks of a product; each would do it again otherwise.
void prepare_rows(const GraphContext& g, const kernels::GemmKernel& kernel, const ggml_tensor* x) {
  constexpr size_t kRows = kernels::kPreparedRows;
  const size_t m = size_t(x->ne[1]), k = size_t(x->ne[0]);
  for_tasks(g, (m + kRows - 1) / kRows, double(m) * double(k) * kPreparationCost, [&](size_t task, void*) {
    const size_t row = task * kRows;
    kernel.prepare(f32(x) + row * stride(x), stride(x), std::min(kRows, m - row), k,
                   prepared_row(g, kernel, row, k));
  });
}

const std::vector<int32_t>& looked_up(const GraphContext& g, TokenIds ids) {
  switch (ids) {
    case TokenIds::kShifted:
      return g.shifted_ids;
    case TokenIds::kPositions:
      return g.batch->positions;
    case TokenIds::kOwn:
      break;
  }
  return g.batch->ids;
}

}  // namespace

size_t KernelOps::max_attention_nodes(const GraphContext&, const Hparams&) const {
  return 8;
}

ggml_tensor* KernelOps::embed(GraphContext& g, const Embeddings& tables, TokenIds ids) const {
  const size_t columns = size_t(tables.tokens->ne[0]);
  const std::optional<kernels::WeightType> type = kernel_type(tables.tokens->type);
  if (!type) g.scratch->need(kRowsPerGather * columns * sizeof(float));
  return custom(g, int64_t(columns), g.batch->num_tokens(), {},
                [this, &g, &tables, ids, columns, type](ggml_tensor* dst) {
                  kernels::EmbedTokensArgs args;
                  args.tokens = size_t(g.batch->num_tokens());
                  args.columns = columns;
                  if (type) args.words = {tables.tokens->data, *type};
                  args.word_scale = tables.scale;
                  if (ids == TokenIds::kOwn && !g.token_scales.empty())
                    args.word_scales = g.token_scales.data();
                  if (tables.positions != nullptr)
                    args.positions = {tables.positions->data, kernels::WeightType::kF32};
                  if (tables.types != nullptr) args.types = {tables.types->data, kernels::WeightType::kF32};
                  args.word_ids = looked_up(g, ids).data();
                  args.position_ids = g.batch->positions.data();
                  args.type_ids = g.batch->type_ids.data();
                  args.normalize = tables.norm.gamma != nullptr;
                  args.kind = tables.norm.kind;
                  args.gamma = f32(tables.norm.gamma);
                  args.beta = f32(tables.norm.beta);
                  args.eps = tables.norm.eps;
                  args.y = f32(dst);
                  args.y_stride = stride(dst);
                  if (type) {
                    table_.embed_tokens->run(args);
                  } else {
                    embed_widened(*table_.embed_tokens, args, *tables.tokens,
                                  static_cast<float*>(g.scratch->of(0)));
                  }
                });
}

ggml_tensor* KernelOps::linear(GraphContext& g, const Linear& linear, ggml_tensor* x,
                               Activation activation) const {
  const kernels::GemmKernel& kernel = *linear.kernel;
  const size_t m = size_t(x->ne[1]), n = size_t(linear.out), k = size_t(linear.in);
  const double work = double(m) * double(n) * double(k);
  const Shares shares = share_out(m, kernel.panel_count(n), work >= kMinSplitWork ? size_t(g.members) : 1);
  const bool prepares = kernel.prepare != nullptr && shares.panel_tasks > 1;
  g.scratch->need(kernel.scratch_bytes(std::min(m, shares.rows), k));
  if (prepares) g.scratch->need_shared(kernel.prepared_bytes(m, k));
  return custom(g, int64_t(n), int64_t(m), {x},
                [&g, &linear, &kernel, m, n, k, activation, work, shares, prepares](ggml_tensor* dst) {
                  const ggml_tensor* input = dst->src[0];
                  if (prepares) prepare_rows(g, kernel, input);
                  for_tasks(g, shares.row_tasks * shares.panel_tasks, work, [&](size_t task, void* scratch) {
                    const size_t row = task / shares.panel_tasks * shares.rows,
                                 share = task % shares.panel_tasks;
                    const size_t panels = kernel.panel_count(n);
                    kernels::GemmArgs args;
                    args.m = std::min(shares.rows, m - row);
                    args.n = n;
                    args.k = k;
                    args.x = f32(input) + row * stride(input);
                    args.x_stride = stride(input);
                    if (prepares) args.prepared = prepared_row(g, kernel, row, k);
                    args.packed = linear.packed.data();
                    args.bias = f32(linear.bias);
                    args.y = f32(dst) + row * stride(dst);
                    args.y_stride = stride(dst);
                    args.panel_begin = panels * share / shares.panel_tasks;
                    args.panel_end = panels * (share + 1) / shares.panel_tasks;
                    args.activation = activation;
                    args.scratch = scratch;
                    kernel.run(args);
                  });
                });
}

namespace {

/// Rows of dst's sources: of the first alone, whose second halves are gated, or of the second by the first.
void gate_rows(const kernels::GateKernel& kernel, const GraphContext& g, ggml_tensor* dst,
               Activation activation) {
  const ggml_tensor *x = dst->src[0], *factor = dst->src[1];
  for_rows(g, dst, 16, [&](size_t first, size_t rows) {
    kernels::GateArgs args;
    args.rows = rows;
    args.columns = size_t(dst->ne[0]);
    args.x = f32(x) + first * stride(x);
    args.x_stride = stride(x);
    args.activation = activation;
    args.y = f32(dst) + first * stride(dst);
    args.y_stride = stride(dst);
    if (factor != nullptr) {
      args.factor = f32(factor) + first * stride(factor);
      args.factor_stride = stride(factor);
    }
    kernel.run(args);
  });
}

}  // namespace

ggml_tensor* KernelOps::gate(GraphContext& g, ggml_tensor* x, Activation activation) const {
  return custom(g, x->ne[0] / 2, x->ne[1], {x},
                [this, &g, activation](ggml_tensor* dst) { gate_rows(*table_.gate, g, dst, activation); });
}

ggml_tensor* KernelOps::gate_by(GraphContext& g, ggml_tensor* x, ggml_tensor* y,
                                Activation activation) const {
  return custom(g, x->ne[0], x->ne[1], {x, y},
                [this, &g, activation](ggml_tensor* dst) { gate_rows(*table_.gate, g, dst, activation); });
}

namespace {

void add_norm_rows(const kernels::AddLayerNormKernel& kernel, const GraphContext& g, ggml_tensor* dst,
                   const Norm* norm) {
  const ggml_tensor *x = dst->src[0], *residual = dst->src[1];
  for_rows(g, dst, 8, [&](size_t first, size_t rows) {
    kernels::AddLayerNormArgs args;
    args.rows = rows;
    args.columns = size_t(dst->ne[0]);
    args.x = f32(x) + first * stride(x);
    args.x_stride = stride(x);
    if (residual != nullptr) {
      args.residual = f32(residual) + first * stride(residual);
      args.residual_stride = stride(residual);
    }
    args.normalize = norm != nullptr;
    if (norm != nullptr) {
      args.kind = norm->kind;
      args.gamma = f32(norm->gamma);
      args.beta = f32(norm->beta);
      args.eps = norm->eps;
    }
    args.y = f32(dst) + first * stride(dst);
    args.y_stride = stride(dst);
    kernel.run(args);
  });
}

}  // namespace

ggml_tensor* KernelOps::add_norm(GraphContext& g, ggml_tensor* x, ggml_tensor* residual,
                                 const Norm& norm) const {
  std::vector<ggml_tensor*> sources{x};
  if (residual != nullptr) sources.push_back(residual);
  return custom(g, x->ne[0], x->ne[1], std::move(sources), [this, &g, &norm](ggml_tensor* dst) {
    add_norm_rows(*table_.add_layer_norm, g, dst, &norm);
  });
}

ggml_tensor* KernelOps::add(GraphContext& g, ggml_tensor* x, ggml_tensor* y) const {
  return custom(g, x->ne[0], x->ne[1], {x, y},
                [this, &g](ggml_tensor* dst) { add_norm_rows(*table_.add_layer_norm, g, dst, nullptr); });
}

ggml_tensor* KernelOps::rotate(GraphContext& g, ggml_tensor* x, int64_t num_heads, const Norm& norm,
                               const Rope& rope) const {
  return custom(g, x->ne[0], x->ne[1], {x}, [this, &g, num_heads, &norm, &rope](ggml_tensor* dst) {
    const ggml_tensor* input = dst->src[0];
    for_rows(g, dst, 8, [&](size_t first, size_t rows) {
      kernels::RotateHeadsArgs args;
      args.tokens = rows;
      args.heads = size_t(num_heads);
      args.head_size = size_t(dst->ne[0] / num_heads);
      args.x = f32(input) + first * stride(input);
      args.x_stride = stride(input);
      args.gamma = f32(norm.gamma);
      args.beta = f32(norm.beta);
      if (norm.gamma != nullptr && norm.gamma->ne[0] != int64_t(args.head_size))
        args.norm_stride = args.head_size;
      args.kind = norm.kind;
      args.eps = norm.eps;
      args.cos = rope.cos.data();
      args.sin = rope.sin.data();
      args.rotated = size_t(rope.rotated);
      args.positions = g.batch->positions.data() + first;
      args.y = f32(dst) + first * stride(dst);
      args.y_stride = stride(dst);
      table_.rotate_heads->run(args);
    });
  });
}

ggml_tensor* KernelOps::attention(GraphContext& g, ggml_tensor* q, ggml_tensor* k, ggml_tensor* v,
                                  const AttentionSpec& spec) const {
  ggml_tensor* out = kernel_attention(g, attention_, q, k, v, spec);
  return spec.queries == Queries::kPooled ? pooled_rows(g, out) : out;
}

namespace {

/// One head of a sequence that stands behind nothing, and of those that continue it. The scratch holds two
/// states before the kernel's own: what the sequence leaves, and a copy for each that begins with it.
void run_delta_net(const kernels::GatedDeltaNetKernel& kernel, const PackedBatch& batch, int64_t sequence,
                   const kernels::GatedDeltaNetArgs& all, void* scratch) {
  const size_t state_bytes = kernel.state_bytes(all.head_size);
  char* const memory = static_cast<char*>(scratch);
  const auto run = [&](int64_t b, void* state, int64_t before) {
    kernels::GatedDeltaNetArgs args = all;
    const auto first = size_t(batch.cu_seqlens[size_t(b)]);
    args.tokens = size_t(batch.length(b));
    args.x += first * all.x_stride, args.gates += first * all.gates_stride,
        args.out += first * all.out_stride;
    args.state = state;
    args.scratch = memory + 2 * state_bytes;
    if (before >= 0) {
      args.continues = true;
      args.tokens_before = std::min(size_t(batch.length(before)), all.width - 1);
      args.before =
          all.x + (size_t(batch.cu_seqlens[size_t(before) + 1]) - args.tokens_before) * all.x_stride;
    }
    kernel.run(args);
  };
  run(sequence, memory, -1);
  for (int64_t b = sequence + 1; b < batch.num_sequences() && !batch.prefixes.empty(); b++) {
    if (batch.prefixes[size_t(b)] != sequence) continue;
    std::copy_n(memory, state_bytes, memory + state_bytes);
    run(b, memory + state_bytes, sequence);
  }
}

}  // namespace

ggml_tensor* KernelOps::gated_delta_net(GraphContext& g, ggml_tensor* x, ggml_tensor* gates,
                                        const LayerWeights& layer, const LinearAttentionHparams& h) const {
  const kernels::GatedDeltaNetKernel& kernel = *table_.gated_delta_net;
  g.scratch->need(2 * kernel.state_bytes(h.head_size) + kernel.scratch_bytes(h.head_size, h.conv_width));
  return custom(g, h.value_size(), x->ne[1], {x, gates}, [&g, &kernel, &layer, &h](ggml_tensor* dst) {
    const ggml_tensor *input = dst->src[0], *gate = dst->src[1];
    kernels::GatedDeltaNetArgs args;
    args.key_heads = h.num_key_heads;
    args.value_heads = h.num_value_heads;
    args.head_size = h.head_size;
    args.width = h.conv_width;
    args.x = f32(input), args.x_stride = stride(input);
    args.conv = f32(layer.ssm_conv1d);
    args.gates = f32(gate), args.gates_stride = stride(gate);
    args.rate = f32(layer.ssm_a), args.shift = f32(layer.ssm_dt);
    args.out = f32(dst), args.out_stride = stride(dst);
    const double work = double(dst->ne[1]) * double(dst->ne[0]) * h.head_size * 4;
    for_tasks(g, size_t(g.batch->num_sequences()) * args.value_heads, work, [&](size_t task, void* scratch) {
      const auto sequence = int64_t(task / args.value_heads);
      if (!g.batch->prefixes.empty() && g.batch->prefixes[size_t(sequence)] >= 0) return;
      kernels::GatedDeltaNetArgs part = args;
      part.head = task % args.value_heads;
      run_delta_net(kernel, *g.batch, sequence, part, scratch);
    });
  });
}

ggml_tensor* KernelOps::short_conv(GraphContext& g, ggml_tensor* x, const LayerWeights& layer,
                                   const ShortConvHparams& hparams) const {
  const size_t columns = size_t(x->ne[0]) / 3, width = hparams.width, ahead = hparams.ahead;
  g.scratch->need_shared(columns * width * sizeof(float));
  return custom(g, int64_t(columns), x->ne[1], {x}, [&g, &layer, columns, width, ahead](ggml_tensor* dst) {
    const ggml_tensor* input = dst->src[0];
    auto* const taps = static_cast<float*>(g.scratch->shared());
    for (size_t c = 0; c < columns; c++) {
      for (size_t tap = 0; tap < width; tap++)
        taps[tap * columns + c] = f32(layer.shortconv)[c * width + tap];
    }
    const ShortConv conv{f32(input), stride(input), columns, width, ahead, taps, f32(layer.shortconv_bias),
                         f32(dst),   stride(dst)};
    const std::vector<int32_t>& starts = g.batch->cu_seqlens;
    for_rows(g, dst, double(width + 1), [&](size_t first, size_t rows) {
      for (size_t token = first; token < first + rows; token++) {
        const auto end = std::upper_bound(starts.begin(), starts.end(), int32_t(token));
        conv.run(*g.batch, end - starts.begin() - 1, int64_t(token));
      }
    });
  });
}

ggml_tensor* KernelOps::seen_rows(GraphContext& g, ggml_tensor* x) const {
  return custom(g, x->ne[0], x->ne[1], {x}, [&g](ggml_tensor* dst) {
    for (int64_t b = 0; b < g.batch->num_sequences(); b++) {
      for (int64_t i = 0; i < g.batch->length(b); i++) {
        const size_t token = size_t(g.batch->cu_seqlens[size_t(b)] + i);
        float* const to = f32(dst) + token * stride(dst);
        if (i < g.batch->num_keys(b))
          std::copy_n(f32(dst->src[0]) + token * stride(dst->src[0]), dst->ne[0], to);
        else
          std::fill_n(to, dst->ne[0], 0.0f);
      }
    }
  });
}

ggml_tensor* KernelOps::neighbours(GraphContext& g, ggml_tensor* x, int64_t width) const {
  return custom(g, x->ne[0] * width, x->ne[1], {x}, [&g, width](ggml_tensor* dst) {
    const ggml_tensor* input = dst->src[0];
    const size_t columns = size_t(input->ne[0]);
    const std::vector<int32_t>& starts = g.batch->cu_seqlens;
    for_rows(g, dst, 1, [&](size_t first, size_t rows) {
      for (size_t token = first; token < first + rows; token++) {
        const auto end = std::upper_bound(starts.begin(), starts.end(), int32_t(token));
        for (int64_t i = 0; i < width; i++) {
          const int64_t place = int64_t(token) + i - width / 2;
          const bool is_inside = place >= *(end - 1) && place < *end;
          const float* from = is_inside ? f32(input) + size_t(place) * stride(input) : nullptr;
          float* to = f32(dst) + token * stride(dst) + i;
          for (size_t c = 0; c < columns; c++) to[c * size_t(width)] = is_inside ? from[c] : 0.0f;
        }
      }
    });
  });
}

ggml_tensor* KernelOps::span_rows(GraphContext& g, ggml_tensor* x, const std::vector<int32_t>& begins,
                                  const std::vector<int32_t>& ends) const {
  return custom(g, x->ne[0], int64_t(begins.size()), {x}, [&begins, &ends](ggml_tensor* dst) {
    const ggml_tensor* input = dst->src[0];
    const size_t columns = size_t(dst->ne[0]);
    for (size_t i = 0; i < begins.size(); i++) {
      const size_t begin = size_t(begins[i]), end = size_t(ends[i]);
      const float* rows = f32(input) + begin * stride(input);
      float* to = f32(dst) + i * stride(dst);
      if (end > begin)
        reduce(rows, end - begin, stride(input), columns, Reduction::kMean, to);
      else
        std::fill_n(to, columns, 0.0f);
    }
  });
}

ggml_tensor* KernelOps::owner_rows(GraphContext& g, ggml_tensor* x) const {
  return custom(g, x->ne[0], int64_t(g.batch->mark_owners.size()), {x}, [&g](ggml_tensor* dst) {
    const ggml_tensor* input = dst->src[0];
    for (size_t i = 0; i < g.batch->mark_owners.size(); i++)
      std::copy_n(f32(input) + size_t(g.batch->mark_owners[i]) * stride(input), dst->ne[0],
                  f32(dst) + i * stride(dst));
  });
}

ggml_tensor* KernelOps::beside(GraphContext& g, ggml_tensor* x, ggml_tensor* y) const {
  return custom(g, x->ne[0] + y->ne[0], x->ne[1], {x, y}, [](ggml_tensor* dst) {
    const ggml_tensor *left = dst->src[0], *right = dst->src[1];
    for (size_t row = 0; row < size_t(dst->ne[1]); row++) {
      float* to = f32(dst) + row * stride(dst);
      to = std::copy_n(f32(left) + row * stride(left), left->ne[0], to);
      std::copy_n(f32(right) + row * stride(right), right->ne[0], to);
    }
  });
}

ggml_tensor* KernelOps::pooled_rows(GraphContext& g, ggml_tensor* x) const {
  return custom(g, x->ne[0], g.batch->num_sequences(), {x}, [&g](ggml_tensor* dst) {
    for (int64_t b = 0; b < g.batch->num_sequences(); b++) {
      const size_t token = size_t(g.batch->cu_seqlens[size_t(b)] + g.pooled_rows[size_t(b)]);
      std::copy_n(f32(dst->src[0]) + token * stride(dst->src[0]), dst->ne[0],
                  f32(dst) + size_t(b) * stride(dst));
    }
  });
}

ggml_tensor* KernelOps::with_pooled_rows(GraphContext& g, ggml_tensor* x, ggml_tensor* rows) const {
  return custom(g, x->ne[0], x->ne[1], {x, rows}, [&g](ggml_tensor* dst) {
    const ggml_tensor *all = dst->src[0], *pooled = dst->src[1];
    const auto copy = [dst](const ggml_tensor* from, size_t row, size_t to) {
      std::copy_n(f32(from) + row * stride(from), dst->ne[0], f32(dst) + to * stride(dst));
    };
    for (size_t token = 0; token < size_t(dst->ne[1]); token++) copy(all, token, token);
    for (size_t b = 0; b < size_t(g.batch->num_sequences()); b++)
      copy(pooled, b, size_t(g.batch->cu_seqlens[b] + g.pooled_rows[b]));
  });
}

ggml_tensor* KernelOps::reduce_rows(GraphContext& g, ggml_tensor* x, Reduction reduction) const {
  return custom(g, x->ne[0], g.batch->num_sequences(), {x}, [&g, reduction](ggml_tensor* dst) {
    for (int64_t b = 0; b < g.batch->num_sequences(); b++) {
      const size_t begin = size_t(g.batch->cu_seqlens[size_t(b)]),
                   end = size_t(g.batch->cu_seqlens[size_t(b) + 1]);
      const float* rows = f32(dst->src[0]) + begin * stride(dst->src[0]);
      reduce(rows, end - begin, stride(dst->src[0]), size_t(dst->ne[0]), reduction,
             f32(dst) + size_t(b) * stride(dst));
    }
  });
}

}  // namespace enc
