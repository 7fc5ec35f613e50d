// y[t] = norm(scale * word[id[t]] + position[position_id[t]] + type[type_id[t]]): the first step of the
// encoder.
#pragma once

#include "kernels/add_layer_norm/add_layer_norm.h"
#include "kernels/gemm/gemm.h"

namespace enc::kernels {

/// A table of rows as the model file stores them, weight_row_bytes(type, columns) bytes apart; any alignment.
struct EmbeddingTable {
  const void* rows = nullptr;
  WeightType type = WeightType::kF32;
};

/// The caller has checked every id against its table.
struct EmbedTokensArgs {
  size_t tokens = 0;
  size_t columns = 0;
  EmbeddingTable words;
  float word_scale = 1;                   ///< multiplied onto the rows of `words`
  const float* word_scales = nullptr;     ///< f32[tokens] in its place, or null
  EmbeddingTable positions;               ///< rows null: no such term
  EmbeddingTable types;                   ///< rows null: no such term
  const int32_t* word_ids = nullptr;      ///< i32[tokens]
  const int32_t* position_ids = nullptr;  ///< i32[tokens]; unused without `positions`
  const int32_t* type_ids = nullptr;      ///< i32[tokens], or null for all zero
  bool normalize = true;
  NormKind kind = NormKind::kLayer;
  const float* gamma = nullptr;  ///< f32[columns], or null for ones
  const float* beta = nullptr;   ///< f32[columns], or null for zeros
  float eps = 1e-12f;
  float* y = nullptr;  ///< f32[tokens, columns]
  size_t y_stride = 0;
};

struct EmbedTokensKernel {
  const char* name;
  void (*run)(const EmbedTokensArgs& args) noexcept;
};

}  // namespace enc::kernels
