// attention_varlen beyond plain softmax: shared key heads, causal and windowed sight, tokens that only see,
// capped scores and biases, every variant against loops in double.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "check.h"
#include "guarded.h"
#include "kernels/attention_varlen/attention_varlen.h"
#include "runnable.h"
#include "tolerances.h"

namespace enc::test {
namespace {

using namespace kernels;

struct Case {
  const char* name;
  size_t heads_per_kv = 1;
  bool causal = false;
  size_t max_distance = SIZE_MAX;
  bool sees_first = false;
  size_t unseen = 0;  ///< tokens at the end of a sequence, but for its first
  float softcap = 0;
  enum { kNone, kByDistance, kByPair } bias = kNone;
  float query_size = 1;  ///< multiplied onto queries and taken back by the scale
};

constexpr size_t kHeads = 4, kLongest = 1300;

/// Keys and values in tensors of their own, rows padded by an odd number of elements.
struct Problem {
  const Case& c;
  size_t head_size, kv_heads, q_stride, kv_stride;
  std::vector<int32_t> cu_seqlens{0}, key_counts;
  Guarded<float> q, k, v, bias;

  Problem(const Case& shape, const std::vector<int>& lengths, size_t size)
      : c(shape),
        head_size(size),
        kv_heads(kHeads / c.heads_per_kv),
        q_stride(kHeads * size + 3),
        kv_stride(kv_heads * size + 5),
        q(total(lengths) * q_stride),
        k(total(lengths) * kv_stride),
        v(total(lengths) * kv_stride),
        bias(c.bias == Case::kByPair ? kHeads * kLongest * kLongest : kHeads * (2 * kLongest - 1)) {
    for (int length : lengths) {
      cu_seqlens.push_back(cu_seqlens.back() + length);
      key_counts.push_back(std::max(1, length - static_cast<int>(c.unseen)));
    }
    fill_normal(q, 1);
    for (size_t i = 0; i < q.size(); i++) q.data()[i] *= c.query_size;
    fill_normal(k, 2);
    fill_normal(v, 3);
    fill_normal(bias, 4);
  }

  static size_t total(const std::vector<int>& lengths) {
    size_t sum = 0;
    for (int length : lengths) sum += static_cast<size_t>(length);
    return sum;
  }

  AttentionVarlenArgs arguments(Guarded<float>& out, Aligned& scratch) const {
    AttentionVarlenArgs a;
    a.q = q.data(), a.k = k.data(), a.v = v.data();
    a.q_stride = q_stride, a.k_stride = a.v_stride = kv_stride;
    a.cu_seqlens = cu_seqlens.data(), a.sequence_end = cu_seqlens.size() - 1;
    if (c.unseen > 0) a.key_counts = key_counts.data();
    a.head_end = kHeads, a.heads_per_kv = c.heads_per_kv, a.head_size = head_size;
    a.scale = 1 / (c.query_size * std::sqrt(static_cast<float>(head_size))), a.softcap = c.softcap;
    a.causal = c.causal, a.max_distance = c.max_distance, a.sees_first = c.sees_first;
    if (c.bias == Case::kByDistance) {
      a.bias = bias.data() + kLongest - 1;
      a.bias_head_stride = 2 * kLongest - 1, a.bias_query_stride = -1;
    } else if (c.bias == Case::kByPair) {
      a.bias = bias.data();
      a.bias_head_stride = kLongest * kLongest, a.bias_query_stride = kLongest;
    }
    a.out = out.data(), a.out_stride = kHeads * head_size;
    a.scratch = scratch.data();
    return a;
  }

  /// The attention of one row in double, over the first `length` tokens of its sequence.
  std::vector<double> expected(const AttentionVarlenArgs& a, size_t begin, size_t length, size_t head,
                               size_t query) const {
    std::vector<double> weights(length), out(head_size);
    double largest = -INFINITY, sum = 0;
    const size_t kv = head / c.heads_per_kv * head_size;
    for (size_t j = 0; j < length; j++) {
      const size_t distance = query > j ? query - j : j - query;
      weights[j] = -INFINITY;
      const bool is_near = distance <= c.max_distance || (c.sees_first && j == 0);
      if ((c.causal && j > query) || !is_near) continue;
      double dot = 0;
      for (size_t i = 0; i < head_size; i++)
        dot += double{q[(begin + query) * q_stride + head * head_size + i]} *
               k[(begin + j) * kv_stride + kv + i];
      dot *= a.scale;
      if (c.softcap > 0) dot = c.softcap * std::tanh(dot / c.softcap);
      if (a.bias) {
        dot += a.bias[static_cast<ptrdiff_t>(head) * a.bias_head_stride +
                      static_cast<ptrdiff_t>(query) * a.bias_query_stride + static_cast<ptrdiff_t>(j)];
      }
      weights[j] = dot;
      largest = std::max(largest, dot);
    }
    if (largest == -INFINITY) return out;
    for (double& w : weights) sum += w = std::exp(w - largest);
    for (size_t j = 0; j < length; j++)
      for (size_t i = 0; i < head_size; i++) out[i] += weights[j] / sum * v[(begin + j) * kv_stride + kv + i];
    return out;
  }
};

void check_variant(const AttentionVarlenKernel& kernel, const Problem& p, size_t step) {
  Guarded<float> out(static_cast<size_t>(p.cu_seqlens.back()) * kHeads * p.head_size);
  fill_poison(out);
  Aligned scratch(kernel.scratch_bytes(kLongest, p.head_size));
  const AttentionVarlenArgs a = p.arguments(out, scratch);
  kernel.run(a);
  CHECK(out.intact() && scratch.intact());
  double worst = 0;
  for (size_t s = 0; s + 1 < p.cu_seqlens.size(); s++) {
    const size_t begin = static_cast<size_t>(p.cu_seqlens[s]),
                 length = static_cast<size_t>(p.cu_seqlens[s + 1]) - begin;
    for (size_t head = 0; head < kHeads; head++) {
      for (size_t query = 0; query < length; query += step) {
        const size_t keys = p.c.unseen > 0 ? static_cast<size_t>(p.key_counts[s]) : length;
        const std::vector<double> row = p.expected(a, begin, keys, head, query);
        for (size_t i = 0; i < p.head_size; i++) {
          const double error =
              std::fabs(out[(begin + query) * a.out_stride + head * p.head_size + i] - row[i]) / 4;
          if (!(error <= worst)) worst = std::isnan(error) ? INFINITY : error;
        }
      }
    }
  }
  const double bound = std::strstr(kernel.name, "varlen_bf16") != nullptr ? kAttentionBf16 : kAttention;
  if (!(worst <= bound)) {
    std::fprintf(stderr, "%s, %s, head size %zu: %g\n", kernel.name, p.c.name, p.head_size, worst);
  }
  CHECK(worst <= bound);
}

const Case kCases[] = {
    {.name = "shared keys", .heads_per_kv = 2},
    {.name = "one key head, causal", .heads_per_kv = 4, .causal = true},
    {.name = "causal", .causal = true},
    {.name = "window", .max_distance = 5},
    {.name = "wide window", .max_distance = 64},
    {.name = "itself alone", .max_distance = 0},
    {.name = "window and the first", .max_distance = 5, .sees_first = true},
    {.name = "wide window and the first", .heads_per_kv = 2, .max_distance = 64, .sees_first = true},
    {.name = "itself and the first", .max_distance = 0, .sees_first = true},
    {.name = "causal window", .heads_per_kv = 2, .causal = true, .max_distance = 19},
    {.name = "unseen", .unseen = 13},
    {.name = "most unseen", .heads_per_kv = 2, .unseen = 1290},
    {.name = "causal, unseen", .causal = true, .unseen = 20},
    {.name = "window, unseen", .max_distance = 20, .unseen = 9},
    {.name = "window, more unseen", .max_distance = 6, .unseen = 30},
    {.name = "causal window, more unseen",
     .heads_per_kv = 2,
     .causal = true,
     .max_distance = 6,
     .unseen = 75},
    {.name = "window and the first, unseen", .max_distance = 5, .sees_first = true, .unseen = 40},
    {.name = "capped, unseen", .unseen = 31, .softcap = 0.7f},
    {.name = "bias by pair, unseen", .unseen = 7, .bias = Case::kByPair},
    {.name = "capped", .softcap = 0.7f},
    {.name = "capped far below the products", .softcap = 0.7f, .query_size = 100},
    {.name = "capped causal window", .heads_per_kv = 2, .causal = true, .max_distance = 70, .softcap = 2.0f},
    {.name = "bias by distance", .bias = Case::kByDistance},
    {.name = "bias by pair", .bias = Case::kByPair},
    {.name = "everything",
     .heads_per_kv = 2,
     .causal = true,
     .max_distance = 40,
     .sees_first = true,
     .softcap = 1.5f,
     .bias = Case::kByPair},
};

TEST(attention_scores_match_double) {
  for (const AttentionVarlenKernel* kernel : runnable<AttentionVarlenKernel>()) {
    for (const Case& c : kCases) {
      for (size_t head_size : {7, 26, 64})
        check_variant(*kernel, Problem(c, {1, 2, 17, 48, 100, 33}, head_size), 1);
    }
  }
}

TEST(attention_scores_match_double_for_long_sequences) {
  for (const AttentionVarlenKernel* kernel : runnable<AttentionVarlenKernel>()) {
    for (const Case& c : kCases) check_variant(*kernel, Problem(c, {1300, 1025}, 16), 97);
    // The first key lies before the blocks of most queries, which are two.
    const Case apart{.name = "two blocks and the first", .max_distance = 560, .sees_first = true};
    check_variant(*kernel, Problem(apart, {1300}, 16), 13);
  }
}

void check_last_rows(const AttentionVarlenKernel& kernel, const Problem& p,
                     std::initializer_list<size_t> query_begins) {
  const size_t row = kHeads * p.head_size;
  Aligned scratch(kernel.scratch_bytes(kLongest, p.head_size));
  Guarded<float> whole(static_cast<size_t>(p.cu_seqlens.back()) * row);
  kernel.run(p.arguments(whole, scratch));
  for (const size_t first : query_begins) {
    Guarded<float> rest(whole.size());
    fill_poison(rest);
    AttentionVarlenArgs a = p.arguments(rest, scratch);
    a.query_begin = first;
    kernel.run(a);
    CHECK(rest.intact());
    for (size_t s = 0; s + 1 < p.cu_seqlens.size(); s++) {
      const size_t begin = static_cast<size_t>(p.cu_seqlens[s]) * row,
                   end = static_cast<size_t>(p.cu_seqlens[s + 1]) * row, asked = begin + first * row;
      CHECK(std::memcmp(&rest[asked], &whole[asked], (end - asked) * sizeof(float)) == 0);
      for (size_t i = begin; i < asked; i++) CHECK(std::isnan(rest[i]));
    }
  }
}

TEST(attention_of_the_last_rows_alone_has_the_same_bits) {
  for (const AttentionVarlenKernel* kernel : runnable<AttentionVarlenKernel>()) {
    for (const Case& c : kCases) check_last_rows(*kernel, Problem(c, {50, 130}, 26), {0, 1, 24, 31, 49});
    // Blocks of keys that begin with the window, and more than one of them.
    const Case wide{.name = "causal, wide window", .causal = true, .max_distance = 1100};
    check_last_rows(*kernel, Problem(wide, {1300}, 16), {1201, 1299});
  }
}

}  // namespace
}  // namespace enc::test
