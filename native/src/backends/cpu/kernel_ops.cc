#include "backends/cpu/kernel_ops.h"

#include <algorithm>
#include <cmath>

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
  return static_cast<float*>(tensor->data);
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

}  // namespace

ggml_tensor* KernelOps::embed(GraphContext& g, const Weights& weights, float eps) const {
  const size_t hidden = size_t(weights.token_embd->ne[0]);
  return custom(g, int64_t(hidden), g.batch->num_tokens(), {},
                [this, &g, &weights, eps, hidden](ggml_tensor* dst) {
                  kernels::EmbedTokensArgs args;
                  args.tokens = size_t(g.batch->num_tokens());
                  args.columns = hidden;
                  args.words = {weights.token_embd->data, weight_type(weights.token_embd->type)};
                  args.positions = {weights.position_embd->data, kernels::WeightType::kF32};
                  if (weights.token_types != nullptr)
                    args.types = {weights.token_types->data, kernels::WeightType::kF32};
                  args.word_ids = g.batch->ids.data();
                  args.position_ids = g.batch->positions.data();
                  args.type_ids = g.batch->type_ids.data();
                  args.gamma = f32(weights.embd_norm.gamma);
                  args.beta = f32(weights.embd_norm.beta);
                  args.eps = eps;
                  args.y = f32(dst);
                  args.y_stride = stride(dst);
                  table_.embed_tokens->run(args);
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

ggml_tensor* KernelOps::add_norm(GraphContext& g, ggml_tensor* x, ggml_tensor* residual, const Norm& norm,
                                 float eps) const {
  return custom(g, x->ne[0], x->ne[1], {x, residual}, [this, &g, &norm, eps](ggml_tensor* dst) {
    const size_t rows = size_t(dst->ne[1]), columns = size_t(dst->ne[0]);
    for_tasks(g, (rows + 63) / 64, double(rows * columns) * 8, [&](size_t task, void*) {
      kernels::AddLayerNormArgs args;
      args.rows = std::min<size_t>(64, rows - task * 64);
      args.columns = columns;
      args.x = f32(dst->src[0]) + task * 64 * stride(dst->src[0]);
      args.x_stride = stride(dst->src[0]);
      args.residual = f32(dst->src[1]) + task * 64 * stride(dst->src[1]);
      args.residual_stride = stride(dst->src[1]);
      args.gamma = f32(norm.gamma);
      args.beta = f32(norm.beta);
      args.eps = eps;
      args.y = f32(dst) + task * 64 * stride(dst);
      args.y_stride = stride(dst);
      table_.add_layer_norm->run(args);
    });
  });
}

ggml_tensor* KernelOps::attention(GraphContext& g, ggml_tensor* qkv, int64_t num_heads,
                                  Queries queries) const {
  const size_t hidden = size_t(qkv->ne[0]) / 3, head_size = hidden / size_t(num_heads);
  size_t longest = 0;
  for (const LengthGroup& group : g.groups) longest = std::max(longest, size_t(group.length));
  g.scratch->bytes_needed = std::max(g.scratch->bytes_needed, attention_.scratch_bytes(longest, head_size));
  const int64_t num_queries = queries == Queries::kFirst ? g.batch->num_sequences() : qkv->ne[1];
  const double work = double(longest) * double(num_queries) * double(hidden) * 2;
  ggml_tensor* out =
      custom(g, int64_t(hidden), qkv->ne[1], {qkv},
             [this, &g, hidden, head_size, num_heads, work, queries](ggml_tensor* dst) {
               const ggml_tensor* source = dst->src[0];
               // One task a head, over all sequences: with one long sequence in flight the heads are what can
               // be split.
               const bool split = g.team != nullptr && work >= kMinSplitWork;
               for_tasks(g, split ? size_t(num_heads) : 1, work, [&](size_t task, void* scratch) {
                 kernels::AttentionVarlenArgs args;
                 args.q = f32(source);
                 args.k = f32(source) + hidden;
                 args.v = f32(source) + 2 * hidden;
                 args.q_stride = args.k_stride = args.v_stride = stride(source);
                 args.cu_seqlens = g.batch->cu_seqlens.data();
                 args.sequence_end = size_t(g.batch->num_sequences());
                 args.head_begin = split ? task : 0;
                 args.head_end = split ? task + 1 : size_t(num_heads);
                 args.head_size = head_size;
                 if (queries == Queries::kFirst) args.max_queries = 1;
                 args.scale = 1.0f / std::sqrt(float(head_size));
                 args.out = f32(dst);
                 args.out_stride = stride(dst);
                 args.scratch = scratch;
                 attention_.run(args);
               });
             });
  return queries == Queries::kFirst ? first_rows(g, out) : out;
}

ggml_tensor* KernelOps::first_rows(GraphContext& g, ggml_tensor* x) const {
  return custom(g, x->ne[0], g.batch->num_sequences(), {x}, [&g](ggml_tensor* dst) {
    for (int64_t b = 0; b < g.batch->num_sequences(); b++) {
      const float* row = f32(dst->src[0]) + size_t(g.batch->cu_seqlens[size_t(b)]) * stride(dst->src[0]);
      std::copy_n(row, dst->ne[0], f32(dst) + size_t(b) * stride(dst));
    }
  });
}

}  // namespace enc
