#include "model/rope.h"

#include <algorithm>
#include <cmath>

namespace enc {
namespace {

Rope declare(TensorContract& contract, const Hparams& h, const std::vector<float>& inv_freq, size_t positions,
             bool for_kernels, const char* name) {
  Rope rope;
  if (inv_freq.empty()) return rope;
  rope.rotated = int64_t(inv_freq.size()) * 2;
  rope.positions = int64_t(std::min<size_t>(positions, h.max_length));
  rope.attention_factor = h.rope_attention_factor;
  if (!for_kernels) rope.freq_factors = contract.extra_vector(name, int64_t(inv_freq.size()));
  return rope;
}

void fill(Rope& rope, const std::vector<float>& inv_freq) {
  if (rope.rotated == 0) return;
  if (rope.freq_factors != nullptr) {
    std::vector<float> factors;
    for (const float frequency : inv_freq) factors.push_back(1.0f / frequency);
    ggml_backend_tensor_set(rope.freq_factors, factors.data(), 0, factors.size() * sizeof(float));
    return;
  }
  rope.cos.reserve(inv_freq.size() * size_t(rope.positions));
  rope.sin.reserve(inv_freq.size() * size_t(rope.positions));
  // In f32 throughout, as transformers computes them.
  for (int64_t position = 0; position < rope.positions; position++) {
    for (const float frequency : inv_freq) {
      const float angle = float(position) * frequency;
      rope.cos.push_back(std::cos(angle) * rope.attention_factor);
      rope.sin.push_back(std::sin(angle) * rope.attention_factor);
    }
  }
}

}  // namespace

void declare_ropes(TensorContract& contract, const Hparams& h, bool for_kernels, Weights& weights) {
  const size_t most = h.max_length;
  weights.rope = declare(contract, h, h.rope_inv_freq, h.rope_inv_freq_long.empty() ? most : h.short_length,
                         for_kernels, "rope_factors");
  weights.rope_local = declare(contract, h, h.rope_inv_freq_local, most, for_kernels, "rope_factors_local");
  weights.rope_long = declare(contract, h, h.rope_inv_freq_long, most, for_kernels, "rope_factors_long");
}

void fill_ropes(const Hparams& h, Weights& weights) {
  fill(weights.rope, h.rope_inv_freq);
  fill(weights.rope_local, h.rope_inv_freq_local);
  fill(weights.rope_long, h.rope_inv_freq_long);
}

}  // namespace enc
