#include "model/relative_bias.h"

#include <algorithm>
#include <cstdlib>

#include "enc/error.h"

namespace enc {
namespace {

template <typename W, typename Visit>
void for_each_bias(W& weights, const Visit& visit) {
  visit(weights.relative_bias);
  visit(weights.decoder_relative_bias);
  for (auto* blocks : {&weights.blocks, &weights.decoder_blocks}) {
    for (auto& block : *blocks) visit(block.relative_bias);
  }
}

RelativeBias declare(TensorContract& contract, const Hparams& h, const std::string& prefix, uint32_t heads) {
  RelativeBias bias;
  bias.name = prefix + "attn_rel_b.weight";
  bias.heads = heads;
  bias.reach = int64_t(h.max_length) - 1;
  // The file may end where distances no longer differ.
  const GgufTensor* source = contract.find(bias.name);
  int64_t columns = 2 * int64_t(h.max_positions) - 1;
  if (source != nullptr && source->shape.size() == 2 && source->shape[0] % 2 == 1)
    columns = std::min(columns, source->shape[0]);
  contract.take_f32(bias.name, {columns, heads});
  return bias;
}

/// The shared bias of a stack of `count` blocks, or that of each of them.
void declare_stack(TensorContract& contract, const Hparams& h, const std::string& prefix, uint32_t heads,
                   RelativeBias& shared, std::vector<LayerWeights>& blocks) {
  const auto block_prefix = [&](size_t i) { return prefix + "blk." + std::to_string(i) + "."; };
  if (!contract.has(block_prefix(0) + "attn_rel_b.weight")) {
    shared = declare(contract, h, prefix, heads);
    return;
  }
  for (size_t i = 0; i < blocks.size(); i++)
    blocks[i].relative_bias = declare(contract, h, block_prefix(i), heads);
}

void fill(const GgufFile& file, RelativeBias& bias) {
  const GgufTensor& source = *file.find_tensor(bias.name);
  std::vector<float> stored(source.num_elements);
  file.read_tensor(source, 0, stored.data(), source.size_bytes);
  const int64_t columns = source.shape[0], reach = columns / 2;
  for (int64_t head = 0; head < bias.heads; head++) {
    for (int64_t distance = -bias.reach; distance <= bias.reach; distance++)
      bias.table.push_back(stored[size_t(head * columns + std::clamp(distance, -reach, reach) + reach)]);
  }
}

void fill_linear(const std::vector<float>& slopes, RelativeBias& bias) {
  for (const float slope : slopes) {
    for (int64_t distance = -bias.reach; distance <= bias.reach; distance++)
      bias.table.push_back(-slope * float(std::abs(distance)));
  }
}

}  // namespace

void declare_relative_biases(TensorContract& contract, const Hparams& h, Weights& weights) {
  if (h.position_kind == PositionKind::kLinearBias) {
    weights.relative_bias.heads = h.num_heads;
    weights.relative_bias.reach = int64_t(h.max_length) - 1;
  } else if (h.biases_scores()) {
    declare_stack(contract, h, "", h.num_heads, weights.relative_bias, weights.blocks);
    // A token that is alone has no distance to another.
    if (h.has_decoder() && !h.decodes_start_only())
      declare_stack(contract, h, "dec.", h.decoder.num_heads, weights.decoder_relative_bias,
                    weights.decoder_blocks);
  }
}

void fill_relative_biases(const GgufFile& file, const Hparams& h, Weights& weights) {
  for_each_bias(weights, [&](RelativeBias& bias) {
    if (!bias.exists()) return;
    bias.table.reserve(bias.num_elements());
    bias.name.empty() ? fill_linear(h.bias_slopes, bias) : fill(file, bias);
  });
}

uint64_t relative_bias_bytes(const Weights& weights) {
  uint64_t elements = 0;
  for_each_bias(weights, [&](const RelativeBias& bias) { elements += bias.num_elements(); });
  return elements * sizeof(float);
}

}  // namespace enc
