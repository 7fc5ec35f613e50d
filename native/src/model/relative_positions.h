// Relative positions of disentangled attention: which row of their embeddings a distance has, and each
// layer's projections of them.
#pragma once

#include "model/tensor_contract.h"
#include "model/weights.h"

namespace enc {

RelativePositions declare_relative_positions(TensorContract& contract, const Hparams& h);

/// Fills the embeddings of every distance where frequencies make them.
void fill_relative_positions(const Hparams& h, RelativePositions& positions);

/// Fills every block's position terms. Its layers and the positions are loaded; their kernel is chosen.
void project_positions(Weights& weights, const Hparams& h);

}  // namespace enc
