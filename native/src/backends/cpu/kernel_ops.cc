#include "backends/cpu/kernel_ops.h"

#include <algorithm>
#include <optional>

#include "backends/cpu/disentangled_bias.h"
#include "backends/cpu/reduce_rows.h"
#include "model/stored_types.h"

namespace enc {
namespace {

/// Below this many multiply-adds a node runs on its own thread: waking a helper costs tens of microseconds.
constexpr double kMinSplitWork = 2e6;
/// Rows of one task, so that a task's activations stay in the second-level cache.
constexpr size_t kRowsPerTask = 256;

const float* f32(const ggml_tensor* tensor) {
  return tensor == nullptr ? nullptr : static_cast<const float*>(tensor->data);
}
float* f32(ggml_tensor* tensor) {
  return tensor == nullptr ? nullptr : static_cast<float*>(tensor->data);
}
size_t stride(const ggml_tensor* tensor) {
  return tensor->nb[1] / sizeof(float);
}

/// Splits the node's tasks over the team when the node is large enough, else runs them here. `run(task,
/// scratch)`.
template <typename Run>
void for_tasks(const GraphContext& g, size_t count, double work, const Run& run) {
  const auto scratch_of = [&g](int member) {
    return g.scratch->bytes_needed == 0
               ? nullptr
               : static_cast<char*>(g.scratch->buffer.data()) + size_t(member) * g.scratch->bytes_needed;
  };
  if (g.team != nullptr && work >= kMinSplitWork) {
    g.team->run(count, [&](size_t task, int member) { run(task, scratch_of(member)); });
  } else {
    for (size_t task = 0; task < count; task++) run(task, scratch_of(0));
  }
}

/// A node whose work is `body(dst)`; the body may read dst->src.
template <typename Body>
struct CustomNode final : NodeData {
  explicit CustomNode(Body b) : body(std::move(b)) {}
  Body body;
  static void run(ggml_tensor* dst, int, int, void* data) { static_cast<CustomNode*>(data)->body(dst); }
};

template <typename Body>
ggml_tensor* custom(GraphContext& g, int64_t columns, int64_t rows, std::vector<ggml_tensor*> sources,
                    Body body) {
  auto node = std::make_unique<CustomNode<Body>>(std::move(body));
  ggml_tensor* tensor = ggml_custom_4d(g.ggml, GGML_TYPE_F32, columns, rows, 1, 1, sources.data(),
                                       int(sources.size()), CustomNode<Body>::run, /*n_tasks=*/1, node.get());
  g.node_data.push_back(std::move(node));
  return tensor;
}

/// Rows of one task of the operations that only pass over memory.
constexpr size_t kRowsPerPass = 64;

/// Splits dst's rows over the team; `run(first row, rows)`. `cost` is the work of one element.
template <typename Run>
void for_rows(const GraphContext& g, const ggml_tensor* dst, double cost, const Run& run) {
  const size_t rows = size_t(dst->ne[1]);
  for_tasks(g, (rows + kRowsPerPass - 1) / kRowsPerPass, double(rows) * double(dst->ne[0]) * cost,
            [&](size_t task, void*) {
              const size_t first = task * kRowsPerPass;
              run(first, std::min(kRowsPerPass, rows - first));
            });
}

}  // namespace

size_t KernelOps::max_attention_nodes(size_t) const {
  return 8;
}

namespace {

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
    args.position_ids = all.position_ids + first;
    args.type_ids = all.type_ids + first;
    args.y = all.y + first * all.y_stride;
    kernel.run(args);
  }
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

ggml_tensor* KernelOps::embed(GraphContext& g, const Embeddings& tables, TokenIds ids) const {
  const size_t columns = size_t(tables.tokens->ne[0]);
  const std::optional<kernels::WeightType> type = kernel_type(tables.tokens->type);
  if (!type) g.scratch->bytes_needed = std::max(g.scratch->bytes_needed, kRowsPerGather * columns * 4);
  return custom(g, int64_t(columns), g.batch->num_tokens(), {},
                [this, &g, &tables, ids, columns, type](ggml_tensor* dst) {
                  kernels::EmbedTokensArgs args;
                  args.tokens = size_t(g.batch->num_tokens());
                  args.columns = columns;
                  if (type) args.words = {tables.tokens->data, *type};
                  args.word_scale = tables.scale;
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
                                  static_cast<float*>(g.scratch->buffer.data()));
                  }
                });
}

ggml_tensor* KernelOps::linear(GraphContext& g, const Linear& linear, ggml_tensor* x,
                               Activation activation) const {
  const kernels::GemmKernel& kernel = *linear.kernel;
  const size_t m = size_t(x->ne[1]), n = size_t(linear.out), k = size_t(linear.in);
  g.scratch->bytes_needed =
      std::max(g.scratch->bytes_needed, kernel.scratch_bytes(std::min(m, kRowsPerTask), k));
  return custom(
      g, int64_t(n), int64_t(m), {x}, [&g, &linear, &kernel, m, n, k, activation](ggml_tensor* dst) {
        const ggml_tensor* input = dst->src[0];
        const size_t panels = kernel.panel_count(n);
        const size_t row_tasks = (m + kRowsPerTask - 1) / kRowsPerTask;
        const double work = double(m) * double(n) * double(k);
        // With few rows, panels are shared out as well: four shares a member even out helpers that come late.
        const size_t wanted = g.team != nullptr && work >= kMinSplitWork ? size_t(g.team->size()) * 4 : 1;
        const size_t panel_tasks = std::min(panels, (wanted + row_tasks - 1) / row_tasks);
        for_tasks(g, row_tasks * panel_tasks, work, [&](size_t task, void* scratch) {
          const size_t row = task / panel_tasks * kRowsPerTask, share = task % panel_tasks;
          kernels::GemmArgs args;
          args.m = std::min(kRowsPerTask, m - row);
          args.n = n;
          args.k = k;
          args.x = f32(input) + row * stride(input);
          args.x_stride = stride(input);
          args.packed = linear.packed.data();
          args.bias = f32(linear.bias);
          args.y = f32(dst) + row * stride(dst);
          args.y_stride = stride(dst);
          args.panel_begin = panels * share / panel_tasks;
          args.panel_end = panels * (share + 1) / panel_tasks;
          args.activation = activation;
          args.scratch = scratch;
          kernel.run(args);
        });
      });
}

ggml_tensor* KernelOps::gate(GraphContext& g, ggml_tensor* x, Activation activation) const {
  return custom(g, x->ne[0] / 2, x->ne[1], {x}, [this, &g, activation](ggml_tensor* dst) {
    const ggml_tensor* input = dst->src[0];
    for_rows(g, dst, 16, [&](size_t first, size_t rows) {
      kernels::GateArgs args;
      args.rows = rows;
      args.columns = size_t(dst->ne[0]);
      args.x = f32(input) + first * stride(input);
      args.x_stride = stride(input);
      args.activation = activation;
      args.y = f32(dst) + first * stride(dst);
      args.y_stride = stride(dst);
      table_.gate->run(args);
    });
  });
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

namespace {

kernels::AttentionVarlenArgs attention_args(const GraphContext& g, const AttentionSpec& spec,
                                            ggml_tensor* dst) {
  kernels::AttentionVarlenArgs args;
  args.q = f32(dst->src[0]), args.q_stride = stride(dst->src[0]);
  args.k = f32(dst->src[1]), args.k_stride = stride(dst->src[1]);
  args.v = f32(dst->src[2]), args.v_stride = stride(dst->src[2]);
  args.cu_seqlens = g.batch->cu_seqlens.data();
  args.sequence_end = size_t(g.batch->num_sequences());
  args.head_size = size_t(spec.head_size);
  args.heads_per_kv = size_t(spec.num_heads / spec.num_kv_heads);
  args.causal = spec.causal;
  args.max_distance = spec.max_distance;
  args.softcap = spec.softcap;
  args.scale = spec.scale;
  if (spec.bias != nullptr) {
    args.bias = spec.bias->at_zero(0);
    args.bias_head_stride = spec.bias->at_zero(1) - spec.bias->at_zero(0);
    args.bias_query_stride = -1;
  }
  if (spec.queries != Queries::kAll) args.query_rows = g.pooled_rows.data();
  args.out = f32(dst), args.out_stride = stride(dst);
  return args;
}

}  // namespace

/// The heads of `args` with the scores of their relative positions, sequence after sequence.
void KernelOps::attend_disentangled(const GraphContext& g, const AttentionSpec& spec,
                                    kernels::AttentionVarlenArgs args, size_t longest) const {
  char* const own = static_cast<char*>(args.scratch) + attention_.scratch_bytes(longest, args.head_size);
  const size_t head_begin = args.head_begin, head_end = args.head_end;
  for (int64_t b = 0; b < g.batch->num_sequences(); b++) {
    const size_t begin = size_t(g.batch->cu_seqlens[size_t(b)]);
    const size_t length = size_t(g.batch->cu_seqlens[size_t(b) + 1]) - begin;
    args.sequence_begin = size_t(b), args.sequence_end = size_t(b) + 1;
    args.bias_query_stride = ptrdiff_t(length);
    for (size_t head = head_begin; head < head_end; head++) {
      const size_t column = head * args.head_size;
      args.bias = disentangled_bias(*table_.position_scores, spec, head, length,
                                    args.q + begin * args.q_stride + column, args.q_stride,
                                    args.k + begin * args.k_stride + column, args.k_stride,
                                    args.query_rows == nullptr ? -1 : g.pooled_rows[size_t(b)], own);
      args.head_begin = head, args.head_end = head + 1;
      attention_.run(args);
    }
  }
}

/// The heads of `args`, whose queries and results are one row for each sequence: so the distance between rows
/// of a sequence's queries is nothing.
void KernelOps::attend_gathered(const GraphContext& g, kernels::AttentionVarlenArgs args) const {
  const float* const q = args.q;
  float* const out = args.out;
  const size_t q_stride = args.q_stride, out_stride = args.out_stride;
  args.q_stride = args.out_stride = 0;
  for (size_t b = 0; b < size_t(g.batch->num_sequences()); b++) {
    args.sequence_begin = b, args.sequence_end = b + 1;
    args.q = q + b * q_stride;
    args.out = out + b * out_stride;
    attention_.run(args);
  }
}

namespace {

/// Scratch of one key head's keys, or values, of a text.
size_t gathered_bytes(size_t longest, size_t head_size) {
  return GGML_PAD(longest * head_size * sizeof(float), 64);
}

void gather_rows(const float* from, size_t row_stride, size_t rows, size_t columns, float* to) {
  for (size_t row = 0; row < rows; row++) std::copy_n(from + row * row_stride, columns, to + row * columns);
}

}  // namespace

/// The heads of `args` where sequences continue others: their keys and values are brought behind those of
/// their prefix, and the kernel sees whole texts, of which it computes the rows that the batch has.
void KernelOps::attend_behind_prefixes(const GraphContext& g, const kernels::AttentionVarlenArgs& args,
                                       size_t longest) const {
  const size_t d = args.head_size;
  char* const own = static_cast<char*>(args.scratch) + attention_.scratch_bytes(longest, d);
  float* const keys = reinterpret_cast<float*>(own);
  float* const values = reinterpret_cast<float*>(own + gathered_bytes(longest, d));
  for (size_t head = args.head_begin; head < args.head_end; head += args.heads_per_kv) {
    const size_t kv_column = head / args.heads_per_kv * d;
    const auto gather = [&](int64_t sequence, size_t at) {
      const size_t token = size_t(g.batch->cu_seqlens[size_t(sequence)]);
      const size_t rows = size_t(g.batch->length(sequence));
      gather_rows(args.k + token * args.k_stride + kv_column, args.k_stride, rows, d, keys + at * d);
      gather_rows(args.v + token * args.v_stride + kv_column, args.v_stride, rows, d, values + at * d);
    };
    int64_t gathered = -1;
    for (int64_t b = 0; b < g.batch->num_sequences(); b++) {
      kernels::AttentionVarlenArgs part = args;
      part.head_begin = head, part.head_end = head + args.heads_per_kv;
      part.sequence_begin = size_t(b), part.sequence_end = size_t(b) + 1;
      const size_t before = size_t(g.batch->prefix_length(b));
      if (before == 0) {
        attention_.run(part);
        continue;
      }
      if (const int64_t prefix = g.batch->prefixes[size_t(b)]; prefix != gathered)
        gather(gathered = prefix, 0);
      gather(b, before);
      // A text of its own, of one key head, whose row 0 would lie before its first one in the batch.
      const size_t first = size_t(g.batch->cu_seqlens[size_t(b)]) - before, column = head * d;
      const int32_t text[] = {0, int32_t(before) + int32_t(g.batch->length(b))};
      const int32_t query = int32_t(before) + g.pooled_rows[size_t(b)];
      part.q += first * args.q_stride + column, part.out += first * args.out_stride + column;
      part.k = keys, part.v = values, part.k_stride = part.v_stride = d;
      part.head_begin = 0, part.head_end = args.heads_per_kv;
      part.cu_seqlens = text, part.sequence_begin = 0, part.sequence_end = 1;
      if (part.bias != nullptr) part.bias += ptrdiff_t(head) * args.bias_head_stride;
      part.query_begin = before;
      if (part.query_rows != nullptr) part.query_rows = &query;
      attention_.run(part);
    }
  }
}

ggml_tensor* KernelOps::attention(GraphContext& g, ggml_tensor* q, ggml_tensor* k, ggml_tensor* v,
                                  const AttentionSpec& spec) const {
  const bool pooled = spec.queries == Queries::kPooled;
  size_t longest = 0;
  for (int64_t b = 0; b < g.batch->num_sequences(); b++)
    longest = std::max(longest, size_t(g.batch->prefix_length(b) + g.batch->length(b)));
  size_t scratch_bytes = attention_.scratch_bytes(longest, size_t(spec.head_size));
  if (spec.disentangled) scratch_bytes += disentangled_scratch_bytes(spec, longest);
  // Also when there is no prefix: what is measured has none.
  if (spec.causal) scratch_bytes += 2 * gathered_bytes(longest, size_t(spec.head_size));
  g.scratch->bytes_needed = std::max(g.scratch->bytes_needed, scratch_bytes);
  const int64_t num_queries = pooled ? g.batch->num_sequences() : q->ne[1];
  const double work =
      double(std::min(longest, spec.max_distance)) * double(num_queries) * double(q->ne[0]) * 2;
  ggml_tensor* out =
      custom(g, q->ne[0], q->ne[1], {q, k, v}, [this, &g, spec, work, longest](ggml_tensor* dst) {
        const kernels::AttentionVarlenArgs args = attention_args(g, spec, dst);
        // One task a key head, over all sequences: with one long sequence in flight the heads are what can be
        // split.
        const bool split = g.team != nullptr && work >= kMinSplitWork;
        for_tasks(g, split ? size_t(spec.num_kv_heads) : 1, work, [&](size_t task, void* scratch) {
          kernels::AttentionVarlenArgs part = args;
          part.head_begin = split ? task * args.heads_per_kv : 0;
          part.head_end = split ? part.head_begin + args.heads_per_kv : size_t(spec.num_heads);
          part.scratch = scratch;
          if (spec.disentangled) {
            attend_disentangled(g, spec, part, longest);
          } else if (spec.queries == Queries::kGathered) {
            attend_gathered(g, part);
          } else if (!g.batch->prefixes.empty()) {
            attend_behind_prefixes(g, part, longest);
          } else {
            attention_.run(part);
          }
        });
      });
  return pooled ? pooled_rows(g, out) : out;
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

ggml_tensor* KernelOps::pooled_rows(GraphContext& g, ggml_tensor* x) const {
  return custom(g, x->ne[0], g.batch->num_sequences(), {x}, [&g](ggml_tensor* dst) {
    for (int64_t b = 0; b < g.batch->num_sequences(); b++) {
      const size_t token = size_t(g.batch->cu_seqlens[size_t(b)] + g.pooled_rows[size_t(b)]);
      std::copy_n(f32(dst->src[0]) + token * stride(dst->src[0]), dst->ne[0],
                  f32(dst) + size_t(b) * stride(dst));
    }
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
