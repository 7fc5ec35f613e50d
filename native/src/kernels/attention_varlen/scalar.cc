// The oracle of attention_varlen and the fallback on all other CPUs: one query at a time, sums in f32.
#include <cmath>

#include "kernels/attention_varlen/attention_varlen.h"

namespace enc::kernels {
namespace {

size_t scratch_bytes(size_t longest_sequence, size_t) noexcept {
  return (longest_sequence * sizeof(float) + 63) / 64 * 64;
}

bool sees(const AttentionVarlenArgs& a, size_t query, size_t key) {
  if (a.causal && key > query) return false;
  return (key > query ? key - query : query - key) <= a.max_distance || (a.sees_first && key == 0);
}

float score(const AttentionVarlenArgs& a, const float* q, const float* k, size_t head, size_t query,
            size_t key) {
  float dot = 0;
  for (size_t i = 0; i < a.head_size; i++) dot += q[i] * k[i];
  dot *= a.scale;
  if (a.softcap > 0) dot = a.softcap * std::tanh(dot / a.softcap);
  if (!a.bias) return dot;
  return dot + a.bias[static_cast<ptrdiff_t>(head) * a.bias_head_stride +
                      static_cast<ptrdiff_t>(query) * a.bias_query_stride + static_cast<ptrdiff_t>(key)];
}

void attend(const AttentionVarlenArgs& a, size_t begin, size_t keys, size_t query, size_t head) {
  const size_t kv_offset = head / a.heads_per_kv * a.head_size;
  const float* q = a.q + (begin + query) * a.q_stride + head * a.head_size;
  float* weight = static_cast<float*>(a.scratch);
  float largest = -INFINITY;
  for (size_t j = 0; j < keys; j++) {
    const float* k = a.k + (begin + j) * a.k_stride + kv_offset;
    weight[j] = sees(a, query, j) ? score(a, q, k, head, query, j) : -INFINITY;
    largest = weight[j] > largest ? weight[j] : largest;
  }
  if (largest == -INFINITY) largest = 0;  // it sees none
  float sum = 0;
  for (size_t j = 0; j < keys; j++) {
    weight[j] = std::exp(weight[j] - largest);
    sum += weight[j];
  }
  float* out = a.out + (begin + query) * a.out_stride + head * a.head_size;
  for (size_t i = 0; i < a.head_size; i++) out[i] = 0;
  for (size_t j = 0; j < keys; j++) {
    const float* v = a.v + (begin + j) * a.v_stride + kv_offset;
    for (size_t i = 0; i < a.head_size; i++) out[i] += weight[j] * v[i];
  }
  for (size_t i = 0; sum > 0 && i < a.head_size; i++) out[i] /= sum;
}

void run(const AttentionVarlenArgs& a) noexcept {
  for (size_t s = a.sequence_begin; s < a.sequence_end; s++) {
    const size_t begin = static_cast<size_t>(a.cu_seqlens[s]);
    const size_t length = static_cast<size_t>(a.cu_seqlens[s + 1]) - begin;
    const size_t keys = a.key_counts ? static_cast<size_t>(a.key_counts[s]) : length;
    const size_t first = a.query_rows ? static_cast<size_t>(a.query_rows[s]) : a.query_begin;
    const size_t end = a.query_rows ? first + 1 : length;
    for (size_t head = a.head_begin; head < a.head_end; head++) {
      for (size_t query = first; query < end; query++) attend(a, begin, keys, query, head);
    }
  }
}

}  // namespace

extern const AttentionVarlenKernel attention_varlen_scalar;
const AttentionVarlenKernel attention_varlen_scalar = {"attention_varlen_scalar", scratch_bytes, run};

}  // namespace enc::kernels
