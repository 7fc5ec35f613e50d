// Inputs of single nodes: what the host works out for a batch and feeds the graph with.
#pragma once

#include <array>
#include <cstring>

#include "graph/ops.h"

namespace enc {

/// An input of shape `ne` that the host feeds; `fill` appends its values in order.
template <typename T, typename Fill>
ggml_tensor* host_input(GraphContext& g, ggml_type type, const std::array<int64_t, 4>& ne, const Fill& fill) {
  ggml_tensor* tensor = ggml_new_tensor(g.ggml, type, 4, ne.data());
  ggml_set_input(tensor);
  HostInput input{tensor, {}};
  if (!g.only_sizes) {
    std::vector<T> values;
    values.reserve(size_t(ggml_nelements(tensor)));
    fill(values);
    input.bytes.resize(values.size() * sizeof(T));
    std::memcpy(input.bytes.data(), values.data(), input.bytes.size());
  }
  g.host_inputs.push_back(std::move(input));
  return tensor;
}

}  // namespace enc
