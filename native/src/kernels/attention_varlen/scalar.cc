// The oracle of attention_varlen and the fallback on CPUs without AVX2: one query at a time, sums in f32.
#include <cmath>

#include "kernels/attention_varlen/attention_varlen.h"

namespace enc::kernels {
namespace {

size_t scratch_bytes(size_t longest_sequence, size_t) noexcept {
  return (longest_sequence * sizeof(float) + 63) / 64 * 64;
}

void attend(const AttentionVarlenArgs& a, size_t begin, size_t length, size_t token, size_t head) {
  const size_t offset = head * a.head_size;
  const float* q = a.q + token * a.q_stride + offset;
  float* weight = static_cast<float*>(a.scratch);
  float largest = -INFINITY;
  for (size_t j = 0; j < length; j++) {
    const float* k = a.k + (begin + j) * a.k_stride + offset;
    float dot = 0;
    for (size_t i = 0; i < a.head_size; i++) dot += q[i] * k[i];
    weight[j] = dot * a.scale;
    largest = weight[j] > largest ? weight[j] : largest;
  }
  float sum = 0;
  for (size_t j = 0; j < length; j++) {
    weight[j] = std::exp(weight[j] - largest);
    sum += weight[j];
  }
  float* out = a.out + token * a.out_stride + offset;
  for (size_t i = 0; i < a.head_size; i++) out[i] = 0;
  for (size_t j = 0; j < length; j++) {
    const float* v = a.v + (begin + j) * a.v_stride + offset;
    for (size_t i = 0; i < a.head_size; i++) out[i] += weight[j] * v[i];
  }
  for (size_t i = 0; i < a.head_size; i++) out[i] /= sum;
}

void run(const AttentionVarlenArgs& a) noexcept {
  for (size_t s = a.sequence_begin; s < a.sequence_end; s++) {
    const size_t begin = static_cast<size_t>(a.cu_seqlens[s]);
    const size_t length = static_cast<size_t>(a.cu_seqlens[s + 1]) - begin;
    for (size_t head = a.head_begin; head < a.head_end; head++) {
      const size_t queries = length < a.max_queries ? length : a.max_queries;
      for (size_t token = begin; token < begin + queries; token++) attend(a, begin, length, token, head);
    }
  }
}

}  // namespace

extern const AttentionVarlenKernel attention_varlen_scalar;
const AttentionVarlenKernel attention_varlen_scalar = {"attention_varlen_scalar", scratch_bytes, run};

}  // namespace enc::kernels
