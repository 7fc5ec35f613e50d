// Nodes of a graph that run code of ours on ggml's CPU backend, and how they share their work with a team.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "graph/ops.h"

namespace enc {

/// Below this many multiply-adds a node runs on its own thread: waking a helper costs tens of microseconds.
constexpr double kMinSplitWork = 2e6;

inline const float* f32(const ggml_tensor* tensor) {
  return tensor == nullptr ? nullptr : static_cast<const float*>(tensor->data);
}
inline float* f32(ggml_tensor* tensor) {
  return tensor == nullptr ? nullptr : static_cast<float*>(tensor->data);
}
/// Elements from one row to the next.
inline size_t stride(const ggml_tensor* tensor) {
  return tensor->nb[1] / sizeof(float);
}

/// Splits the node's tasks over the team when the node is large enough, else runs them here. `run(task,
/// scratch)`.
template <typename Run>
void for_tasks(const GraphContext& g, size_t count, double work, const Run& run) {
  if (g.team != nullptr && work >= kMinSplitWork) {
    g.team->run(count, [&](size_t task, int member) { run(task, g.scratch->of(member)); });
  } else {
    for (size_t task = 0; task < count; task++) run(task, g.scratch->of(0));
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

}  // namespace enc
