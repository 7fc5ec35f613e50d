// Rotary positions: how far each kind of layer, or of text, turns the heads of queries and keys.
#pragma once

#include "model/tensor_contract.h"
#include "model/weights.h"

namespace enc {

/// One for all layers, and those of local layers and of long texts where they turn otherwise. Our kernels
/// read cosines and sines, `for_kernels`; ggml reads factors, in tensors that are declared here.
void declare_ropes(TensorContract& contract, const Hparams& h, bool for_kernels, Weights& weights);

/// Fills what was declared.
void fill_ropes(const Hparams& h, Weights& weights);

}  // namespace enc
