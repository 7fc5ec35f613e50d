// The encoder's hyperparameters as read from a GGUF file, each checked against its range.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/gemm/gemm.h"
#include "model/gguf_file.h"

namespace enc {

using kernels::Activation;
enum class Pooling { kCls };

struct Hparams {
  uint32_t hidden_size = 0;
  uint32_t num_layers = 0;
  uint32_t num_heads = 0;
  uint32_t intermediate_size = 0;
  uint32_t max_positions = 0;
  uint32_t vocab_size = 0;
  uint32_t num_token_types = 0;  ///< 0: the model has no segment embeddings
  uint32_t num_labels = 0;
  uint32_t max_length = 0;  ///< tokens per input, special tokens included
  float layer_norm_eps = 0;
  Activation hidden_activation = Activation::kGeluErf;
  Pooling pooling = Pooling::kCls;
  bool has_pooler = false;
  Activation pooler_activation = Activation::kTanh;

  uint32_t head_size() const { return hidden_size / num_heads; }
};

/// Throws Error(gguf_malformed) for impossible values, Error(architecture_unsupported) for mechanisms the
/// graph lacks.
Hparams read_hparams(const GgufFile& file);

}  // namespace enc
