// attention_varlen: every variant against loops in double, and a sequence's bits against its neighbours.
#include "kernels/attention_varlen/attention_varlen.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

#include "check.h"
#include "guarded.h"
#include "kernels/gemm/stored_weight.h"
#include "runnable.h"
#include "tolerances.h"

namespace enc::test {
namespace {

using namespace kernels;

bool rounds_to_bf16(const AttentionVarlenKernel& kernel) {
  return std::strstr(kernel.name, "varlen_bf16") != nullptr;
}

struct Problem {
  size_t heads, head_size, hidden, longest = 0;
  std::vector<int32_t> cu_seqlens = {0};
  Guarded<float> qkv;

  Problem(std::vector<int> lengths, size_t head_count, size_t size, float deviation = 1.0f)
      : heads(head_count),
        head_size(size),
        hidden(head_count * size),
        qkv(total(lengths) * 3 * head_count * size) {
    for (int length : lengths) {
      cu_seqlens.push_back(cu_seqlens.back() + length);
      if (static_cast<size_t>(length) > longest) longest = static_cast<size_t>(length);
    }
    fill_normal(qkv, 5, deviation);
  }

  static size_t total(const std::vector<int>& lengths) {
    size_t sum = 0;
    for (int length : lengths) sum += static_cast<size_t>(length);
    return sum;
  }
  size_t tokens() const { return static_cast<size_t>(cu_seqlens.back()); }

  AttentionVarlenArgs arguments(Guarded<float>& out, Aligned& scratch) const {
    AttentionVarlenArgs a;
    a.q = qkv.data(), a.k = qkv.data() + hidden, a.v = qkv.data() + 2 * hidden;
    a.q_stride = a.k_stride = a.v_stride = 3 * hidden;
    a.cu_seqlens = cu_seqlens.data();
    a.sequence_end = cu_seqlens.size() - 1;
    a.head_end = heads, a.head_size = head_size;
    a.scale = 1 / std::sqrt(static_cast<float>(head_size));
    a.out = out.data(), a.out_stride = hidden;
    a.scratch = scratch.data();
    return a;
  }

  /// Largest error over every `step`-th token, relative to the largest |v| of the sequence and head.
  double error(const Guarded<float>& out, size_t step) const {
    double worst = 0;
    for (size_t s = 0; s + 1 < cu_seqlens.size(); s++) {
      const size_t begin = static_cast<size_t>(cu_seqlens[s]), end = static_cast<size_t>(cu_seqlens[s + 1]);
      for (size_t h = 0; h < heads; h++) {
        for (size_t t = begin; t < end; t += step) {
          const double error = row_error(out, begin, end, h, t);
          if (!(error <= worst)) worst = std::isnan(error) ? INFINITY : error;
        }
      }
    }
    return worst;
  }

 private:
  double row_error(const Guarded<float>& out, size_t begin, size_t end, size_t h, size_t t) const {
    std::vector<double> weight, expected(head_size);
    double largest = -INFINITY, sum = 0, largest_value = 0, worst = 0;
    for (size_t j = begin; j < end; j++) {
      double dot = 0;
      for (size_t i = 0; i < head_size; i++) dot += double{at(t, 0, h, i)} * at(j, 1, h, i);
      weight.push_back(dot / std::sqrt(static_cast<double>(head_size)));
      largest = std::fmax(largest, weight.back());
    }
    for (double& w : weight) sum += w = std::exp(w - largest);
    for (size_t j = begin; j < end; j++) {
      for (size_t i = 0; i < head_size; i++) {
        expected[i] += weight[j - begin] / sum * at(j, 2, h, i);
        // Not std::fmax: GCC 12 for 64-bit ARM dies of it here.
        if (const double size = std::fabs(at(j, 2, h, i)); size > largest_value) largest_value = size;
      }
    }
    for (size_t i = 0; i < head_size; i++) {
      const double error = std::fabs(out[t * hidden + h * head_size + i] - expected[i]) / largest_value;
      if (!(error <= worst)) worst = std::isnan(error) ? INFINITY : error;
    }
    return worst;
  }
  float at(size_t token, size_t part, size_t head, size_t i) const {
    return qkv[token * 3 * hidden + part * hidden + head * head_size + i];
  }
};

void check_variant(const AttentionVarlenKernel& kernel, const Problem& p, size_t step) {
  Guarded<float> out(p.tokens() * p.hidden);
  fill_poison(out);
  Aligned scratch(kernel.scratch_bytes(p.longest, p.head_size));
  kernel.run(p.arguments(out, scratch));
  CHECK(out.intact() && scratch.intact());
  const double error = p.error(out, step), bound = rounds_to_bf16(kernel) ? kAttentionBf16 : kAttention;
  if (!(error <= bound)) std::fprintf(stderr, "%s head size %zu: %g\n", kernel.name, p.head_size, error);
  CHECK(error <= bound);
}

TEST(attention_matches_double_for_every_head_size) {
  for (const AttentionVarlenKernel* kernel : runnable<AttentionVarlenKernel>()) {
    for (size_t head_size : {1, 7, 16, 26, 32, 64, 80, 128}) {
      check_variant(*kernel, Problem({1, 2, 0, 10, 16, 17, 33, 48, 49, 7}, 2, head_size), 1);
    }
  }
}

TEST(attention_matches_double_for_long_sequences) {
  for (const AttentionVarlenKernel* kernel : runnable<AttentionVarlenKernel>()) {
    check_variant(*kernel, Problem({512}, 1, 64), 5);
    check_variant(*kernel, Problem({1009, 1040, 2500}, 1, 26), 83);
  }
}

TEST(attention_survives_large_scores) {
  for (const AttentionVarlenKernel* kernel : runnable<AttentionVarlenKernel>()) {
    Problem p({40, 1500}, 1, 32, 30.0f);
    for (size_t i = 0; i < p.qkv.size(); i++) p.qkv[i] = bf16_to_f32(f32_to_bf16(p.qkv[i]));
    Guarded<float> out(p.tokens() * p.hidden);
    Aligned scratch(kernel->scratch_bytes(p.longest, p.head_size));
    kernel->run(p.arguments(out, scratch));
    // Scores reach 10^4, where f32 resolves 10^-3: weights that compete closely differ by that much.
    CHECK(p.error(out, 41) <= 5e-3 + (rounds_to_bf16(*kernel) ? kAttentionBf16 : 0));
  }
}

TEST(attention_of_a_sequence_ignores_the_others) {
  for (const AttentionVarlenKernel* kernel : runnable<AttentionVarlenKernel>()) {
    const Problem p({5, 64, 1, 130, 33, 1100}, 3, 26);
    Guarded<float> whole(p.tokens() * p.hidden), split(p.tokens() * p.hidden);
    fill_poison(split);
    Aligned scratch(kernel->scratch_bytes(p.longest, p.head_size));
    kernel->run(p.arguments(whole, scratch));
    std::vector<std::thread> threads;
    for (size_t head = 0; head < p.heads; head++) {
      threads.emplace_back([&, head] {
        for (size_t s = 0; s + 1 < p.cu_seqlens.size(); s++) {
          const size_t length = static_cast<size_t>(p.cu_seqlens[s + 1] - p.cu_seqlens[s]);
          Aligned own(kernel->scratch_bytes(length, p.head_size));
          AttentionVarlenArgs a = p.arguments(split, own);
          a.sequence_begin = s, a.sequence_end = s + 1, a.head_begin = head, a.head_end = head + 1;
          kernel->run(a);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(std::memcmp(whole.data(), split.data(), whole.size() * sizeof(float)) == 0);
  }
}

TEST(attention_of_one_row_alone_has_the_same_bits) {
  for (const AttentionVarlenKernel* kernel : runnable<AttentionVarlenKernel>()) {
    const Problem p({5, 64, 1, 130, 33, 1100}, 2, 26);
    Aligned scratch(kernel->scratch_bytes(p.longest, p.head_size));
    Guarded<float> whole(p.tokens() * p.hidden);
    kernel->run(p.arguments(whole, scratch));
    for (const double place : {0.0, 0.4, 1.0}) {
      Guarded<float> one(p.tokens() * p.hidden);
      fill_poison(one);
      std::vector<int32_t> rows;
      for (size_t s = 0; s + 1 < p.cu_seqlens.size(); s++)
        rows.push_back(static_cast<int32_t>(place * (p.cu_seqlens[s + 1] - p.cu_seqlens[s] - 1)));
      AttentionVarlenArgs a = p.arguments(one, scratch);
      a.query_rows = rows.data();
      kernel->run(a);
      CHECK(one.intact());
      for (size_t s = 0; s + 1 < p.cu_seqlens.size(); s++) {
        for (int32_t t = p.cu_seqlens[s]; t < p.cu_seqlens[s + 1]; t++) {
          const size_t at = static_cast<size_t>(t) * p.hidden;
          if (t == p.cu_seqlens[s] + rows[s]) {
            CHECK(std::memcmp(&one[at], &whole[at], p.hidden * sizeof(float)) == 0);
          } else {
            for (size_t i = 0; i < p.hidden; i++) CHECK(std::isnan(one[at + i]));
          }
        }
      }
    }
  }
}

TEST(attention_varlen_computes_a_query_that_stands_alone) {
  for (const AttentionVarlenKernel* kernel : runnable<AttentionVarlenKernel>()) {
    const Problem p({5, 64, 1, 1100}, 2, 26);
    Aligned scratch(kernel->scratch_bytes(p.longest, p.head_size));
    Guarded<float> whole(p.tokens() * p.hidden);
    kernel->run(p.arguments(whole, scratch));
    for (size_t s = 0; s + 1 < p.cu_seqlens.size(); s++) {
      std::vector<int32_t> rows(p.cu_seqlens.size() - 1);
      rows[s] = (p.cu_seqlens[s + 1] - p.cu_seqlens[s]) / 2;
      const size_t token = static_cast<size_t>(p.cu_seqlens[s] + rows[s]);
      Guarded<float> query(p.hidden), result(p.hidden);
      std::copy_n(p.qkv.data() + token * 3 * p.hidden, p.hidden, query.data());
      AttentionVarlenArgs a = p.arguments(result, scratch);
      a.sequence_begin = s, a.sequence_end = s + 1;
      a.query_rows = rows.data();
      a.q = query.data(), a.q_stride = a.out_stride = 0;
      kernel->run(a);
      CHECK(query.intact() && result.intact());
      CHECK(std::memcmp(result.data(), &whole[token * p.hidden], p.hidden * sizeof(float)) == 0);
    }
  }
}

}  // namespace
}  // namespace enc::test
