// Biases by distance that are added to attention's scores: a table for all layers, or one for each.
#pragma once

#include "model/tensor_contract.h"
#include "model/weights.h"

namespace enc {

/// Of every stack and layer that has one, as the hyperparameters and the file's tensors call for them.
void declare_relative_biases(TensorContract& contract, const Hparams& h, Weights& weights);

/// Fills what was declared, for every distance within a text.
void fill_relative_biases(const GgufFile& file, const Hparams& h, Weights& weights);

/// Bytes of the tables once they are filled.
uint64_t relative_bias_bytes(const Weights& weights);

}  // namespace enc
