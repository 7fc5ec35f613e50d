#include "backends/cpu/kernel_attention.h"

#include <algorithm>

#include "backends/cpu/custom_node.h"
#include "backends/cpu/disentangled_bias.h"

namespace enc {
namespace {

kernels::AttentionVarlenArgs attention_args(const GraphContext& g, const AttentionSpec& spec,
                                            ggml_tensor* dst) {
  kernels::AttentionVarlenArgs args;
  args.q = f32(dst->src[0]), args.q_stride = stride(dst->src[0]);
  args.k = f32(dst->src[1]), args.k_stride = stride(dst->src[1]);
  args.v = f32(dst->src[2]), args.v_stride = stride(dst->src[2]);
  args.cu_seqlens = g.batch->cu_seqlens.data();
  args.sequence_end = size_t(g.batch->num_sequences());
  if (!g.batch->key_counts.empty()) args.key_counts = g.batch->key_counts.data();
  args.head_size = size_t(spec.head_size);
  args.heads_per_kv = size_t(spec.num_heads / spec.num_kv_heads);
  args.causal = spec.causal;
  args.max_distance = spec.max_distance;
  args.sees_first = spec.sees_first;
  args.softcap = spec.softcap;
  args.scale = spec.scale;
  if (spec.bias != nullptr) {
    args.bias = spec.bias->at_zero(0);
    args.bias_head_stride = spec.bias->at_zero(1) - spec.bias->at_zero(0);
    args.bias_query_stride = -1;
  }
  if (spec.queries != Queries::kAll) args.query_rows = g.pooled_rows.data();
  args.out = f32(dst), args.out_stride = stride(dst);
  return args;
}

/// The heads of `args` with the scores of their relative positions, sequence after sequence.
void attend_disentangled(const AttentionKernels& by, const GraphContext& g, const AttentionSpec& spec,
                         kernels::AttentionVarlenArgs args, size_t longest) {
  const ggml_tensor* const segment_scores = spec.disentangled->segment_scores;
  char* const scratch = static_cast<char*>(args.scratch) + by.varlen->scratch_bytes(longest, args.head_size);
  const size_t head_begin = args.head_begin, head_end = args.head_end;
  for (int64_t b = 0; b < g.batch->num_sequences(); b++) {
    const size_t begin = size_t(g.batch->cu_seqlens[size_t(b)]);
    const size_t length = size_t(g.batch->cu_seqlens[size_t(b) + 1]) - begin;
    args.sequence_begin = size_t(b), args.sequence_end = size_t(b) + 1;
    args.bias_query_stride = ptrdiff_t(length);
    for (size_t head = head_begin; head < head_end; head++) {
      DisentangledArgs own;
      own.head = head;
      own.length = length;
      own.q = args.q + begin * args.q_stride + head * args.head_size, own.q_stride = args.q_stride;
      own.k = args.k + begin * args.k_stride + head * args.head_size, own.k_stride = args.k_stride;
      if (segment_scores != nullptr) {
        own.segment_stride = stride(segment_scores);
        own.segment_scores = f32(segment_scores) + begin * own.segment_stride + head;
        own.segments = g.batch->type_ids.data() + begin;
      }
      if (args.query_rows != nullptr) own.only_query = g.pooled_rows[size_t(b)];
      own.scratch = scratch;
      args.bias = disentangled_bias(*by.position_scores, spec, own);
      args.head_begin = head, args.head_end = head + 1;
      by.varlen->run(args);
    }
  }
}

/// The heads of `args`, whose queries and results are one row for each sequence: so the distance between rows
/// of a sequence's queries is nothing.
void attend_gathered(const AttentionKernels& by, const GraphContext& g, kernels::AttentionVarlenArgs args) {
  const float* const q = args.q;
  float* const out = args.out;
  const size_t q_stride = args.q_stride, out_stride = args.out_stride;
  args.q_stride = args.out_stride = 0;
  for (size_t b = 0; b < size_t(g.batch->num_sequences()); b++) {
    args.sequence_begin = b, args.sequence_end = b + 1;
    args.q = q + b * q_stride;
    args.out = out + b * out_stride;
    by.varlen->run(args);
  }
}

/// Scratch of one key head's keys, or values, of a text.
size_t gathered_bytes(size_t longest, size_t head_size) {
  return GGML_PAD(longest * head_size * sizeof(float), 64);
}

void gather_rows(const float* from, size_t row_stride, size_t rows, size_t columns, float* to) {
  for (size_t row = 0; row < rows; row++) std::copy_n(from + row * row_stride, columns, to + row * columns);
}

/// Keeps keys and values of the key heads of `args` for later batches.
void keep_rows(const PackedBatch& batch, size_t layer, const kernels::AttentionVarlenArgs& args) {
  const KeyValues& kept = *batch.kept;
  const size_t column = args.head_begin / args.heads_per_kv * args.head_size;
  const size_t width = (args.head_end - args.head_begin) / args.heads_per_kv * args.head_size;
  const auto first = size_t(batch.cu_seqlens[size_t(batch.kept_sequence)]);
  for (size_t t = 0; t < kept.ids().size(); t++) {
    const size_t at = t * kept.columns() + column;
    std::copy_n(args.k + (first + t) * args.k_stride + column, width, kept.keys(layer) + at);
    std::copy_n(args.v + (first + t) * args.v_stride + column, width, kept.values(layer) + at);
  }
}

/// The heads of `args` where sequences continue others, or what is remembered of others: their keys and
/// values are brought behind those, and the kernel sees whole texts, of which it computes the rows that the
/// batch has.
void attend_behind_prefixes(const AttentionKernels& by, const GraphContext& g, size_t layer,
                            const kernels::AttentionVarlenArgs& args, size_t longest) {
  const size_t d = args.head_size;
  char* const own = static_cast<char*>(args.scratch) + by.varlen->scratch_bytes(longest, d);
  float* const keys = reinterpret_cast<float*>(own);
  float* const values = reinterpret_cast<float*>(own + gathered_bytes(longest, d));
  for (size_t head = args.head_begin; head < args.head_end; head += args.heads_per_kv) {
    const size_t kv_column = head / args.heads_per_kv * d;
    const auto gather = [&](int64_t sequence, size_t at) {
      const size_t token = size_t(g.batch->cu_seqlens[size_t(sequence)]);
      const size_t rows = size_t(g.batch->length(sequence));
      gather_rows(args.k + token * args.k_stride + kv_column, args.k_stride, rows, d, keys + at * d);
      gather_rows(args.v + token * args.v_stride + kv_column, args.v_stride, rows, d, values + at * d);
    };
    const auto recall = [&](const Remembered& from) {
      const size_t columns = from.states->columns();
      gather_rows(from.states->keys(layer) + kv_column, columns, from.tokens, d, keys);
      gather_rows(from.states->values(layer) + kv_column, columns, from.tokens, d, values);
    };
    int64_t gathered = -1;
    for (int64_t b = 0; b < g.batch->num_sequences(); b++) {
      kernels::AttentionVarlenArgs part = args;
      part.head_begin = head, part.head_end = head + args.heads_per_kv;
      part.sequence_begin = size_t(b), part.sequence_end = size_t(b) + 1;
      const size_t before = size_t(g.batch->prefix_length(b));
      if (before == 0) {
        by.varlen->run(part);
        continue;
      }
      if (const int64_t prefix = g.batch->prefixes[size_t(b)]; prefix < 0) {
        recall(g.batch->remembered[size_t(b)]);
        gathered = -1;
      } else if (prefix != gathered) {
        gather(gathered = prefix, 0);
      }
      gather(b, before);
      // A text of its own, of one key head, whose row 0 would lie before its first one in the batch.
      const size_t first = size_t(g.batch->cu_seqlens[size_t(b)]) - before, column = head * d;
      const int32_t text[] = {0, int32_t(before) + int32_t(g.batch->length(b))};
      const int32_t query = int32_t(before) + g.pooled_rows[size_t(b)];
      part.q += first * args.q_stride + column, part.out += first * args.out_stride + column;
      part.k = keys, part.v = values, part.k_stride = part.v_stride = d;
      part.head_begin = 0, part.head_end = args.heads_per_kv;
      part.cu_seqlens = text, part.sequence_begin = 0, part.sequence_end = 1;
      if (part.bias != nullptr) part.bias += ptrdiff_t(head) * args.bias_head_stride;
      part.query_begin = before;
      if (part.query_rows != nullptr) part.query_rows = &query;
      by.varlen->run(part);
    }
  }
}

}  // namespace

ggml_tensor* kernel_attention(GraphContext& g, const AttentionKernels& by, ggml_tensor* q, ggml_tensor* k,
                              ggml_tensor* v, const AttentionSpec& spec) {
  size_t longest = 0;
  for (int64_t b = 0; b < g.batch->num_sequences(); b++)
    longest = std::max(longest, size_t(g.batch->prefix_length(b) + g.batch->length(b)));
  size_t scratch_bytes = by.varlen->scratch_bytes(longest, size_t(spec.head_size));
  if (spec.disentangled) scratch_bytes += disentangled_scratch_bytes(spec, longest);
  // Also when there is no prefix: what is measured has none.
  if (spec.causal) scratch_bytes += 2 * gathered_bytes(longest, size_t(spec.head_size));
  g.scratch->need(scratch_bytes);
  const int64_t num_queries = spec.queries == Queries::kPooled ? g.batch->num_sequences() : q->ne[1];
  const double work =
      double(std::min(longest, spec.max_distance)) * double(num_queries) * double(q->ne[0]) * 2;
  std::vector<ggml_tensor*> sources{q, k, v};
  if (spec.disentangled && spec.disentangled->segment_scores != nullptr)
    sources.push_back(spec.disentangled->segment_scores);
  return custom(g, q->ne[0], q->ne[1], std::move(sources), [&by, &g, spec, work, longest](ggml_tensor* dst) {
    const kernels::AttentionVarlenArgs args = attention_args(g, spec, dst);
    // One task a key head, over all sequences: with one long sequence in flight the heads are what can be
    // split.
    const bool split = g.team != nullptr && work >= kMinSplitWork;
    for_tasks(g, split ? size_t(spec.num_kv_heads) : 1, work, [&](size_t task, void* scratch) {
      kernels::AttentionVarlenArgs part = args;
      part.head_begin = split ? task * args.heads_per_kv : 0;
      part.head_end = split ? part.head_begin + args.heads_per_kv : size_t(spec.num_heads);
      part.scratch = scratch;
      if (g.batch->kept) keep_rows(*g.batch, spec.layer, part);
      if (spec.disentangled) {
        attend_disentangled(by, g, spec, part, longest);
      } else if (spec.queries == Queries::kGathered) {
        attend_gathered(by, g, part);
      } else if (g.batch->has_prefixes()) {
        attend_behind_prefixes(by, g, spec.layer, part, longest);
      } else {
        by.varlen->run(part);
      }
    });
  });
}

}  // namespace enc
