// The weights of one model. Linear layers are either ggml tensors (portable graph) or packed for our kernels;
// the packed copy takes the place of the file's bytes.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ggml-backend.h"
#include "kernels/kernel_table.h"
#include "model/gguf_file.h"
#include "model/hparams.h"
#include "support/aligned_buffer.h"

namespace enc {

/// y[m, out] = x[m, in] . weight[out, in]^T + bias[out]. Either `weight` or `packed` holds the matrix.
struct Linear {
  int64_t in = 0, out = 0;
  ggml_tensor* weight = nullptr;                ///< ne = {in, out}
  const kernels::GemmKernel* kernel = nullptr;  ///< reads `packed`
  AlignedBuffer packed;
  ggml_tensor* bias = nullptr;  ///< ne = {out}
};

struct Norm {
  ggml_tensor* gamma = nullptr;  ///< ne = {H}
  ggml_tensor* beta = nullptr;   ///< ne = {H}
};

struct LayerWeights {
  Linear attn_qkv;  ///< rows Q, then K, then V
  Linear attn_output;
  Norm attn_output_norm;
  Linear ffn_up;
  Linear ffn_down;
  Norm layer_output_norm;
};

struct Weights {
  ggml_tensor* token_embd = nullptr;     ///< ne = {H, V}
  ggml_tensor* position_embd = nullptr;  ///< ne = {H, P}
  ggml_tensor* token_types = nullptr;    ///< ne = {H, types}, null when the model has none
  Norm embd_norm;
  std::vector<LayerWeights> layers;
  Linear pooler;  ///< empty when the head has no such layer
  Linear classifier;
  uint64_t size_bytes = 0;
  uint64_t num_parameters = 0;
  std::string linear_type;   ///< file type of the linear layers: "f32", "f16", "bf16", "q8_0"
  std::string compute_type;  ///< what their products are computed in

  std::unique_ptr<ggml_context, decltype(&ggml_free)> context{nullptr, ggml_free};
  std::unique_ptr<ggml_backend_buffer, decltype(&ggml_backend_buffer_free)> buffer{nullptr,
                                                                                   ggml_backend_buffer_free};
};

/// How our kernels name one of the tensor types that GgufFile admits.
kernels::WeightType weight_type(ggml_type type);

/// Checks every tensor of the file against the contract that the hyperparameters imply, then reads them into
/// a buffer of `buffer_type`. Throws Error(tensor_missing, tensor_shape_mismatch, dtype_unsupported,
/// gguf_malformed, out_of_memory, io_failed), and Error(aborted) when `should_stop` says so.
/// With `table`, linear layers are packed for its kernels.
Weights load_weights(const GgufFile& file, const Hparams& hparams, ggml_backend_buffer_type_t buffer_type,
                     const kernels::KernelTable* table, const std::function<bool()>& should_stop);

}  // namespace enc
