// out = softmax(q . k^T * scale) . v for each sequence and head of a packed batch, without padding. Which
// keys a query sees is arithmetic on positions, never a matrix; keys that no query of a block sees cost
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace enc::kernels {

/// Token t of head h reads its query at q + t * q_stride + h * head_size; keys and values likewise. For fused
/// q|k|v rows [T, 3 * hidden]: q = qkv, k = qkv + hidden, v = qkv + 2 * hidden, all strides 3 * hidden.
/// The caller splits over threads by sequences and heads, each with scratch of its own; a row's bits depend
/// on its sequence and head alone. `out` must not overlap the inputs. Strides count elements; any alignment.
struct AttentionVarlenArgs {
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  size_t q_stride = 0;
  size_t k_stride = 0;
  size_t v_stride = 0;
  const int32_t* cu_seqlens =
      nullptr;  ///< i32[sequences + 1], ascending: sequence s is tokens [cu[s], cu[s + 1])
  size_t sequence_begin = 0;
  size_t sequence_end = 0;
  size_t head_begin = 0;  ///< of the query heads
  size_t head_end = 0;
  size_t heads_per_kv = 1;  ///< query head h reads the key and value head h / heads_per_kv
  size_t head_size = 0;     ///< >= 1
  /// i32[sequences], each >= 1: the tokens at the beginning of each sequence that are seen; those behind them
  /// see and are not seen. Null: all are seen. The row of a query that sees none is zeros.
  const int32_t* key_counts = nullptr;
  /// i32[sequences]: the one token of each sequence, counted from its first, whose row is computed; the
  /// others stay unwritten. Null: all rows. With q_stride and out_stride 0 that token's query and result are
  /// the rows at `q` and `out`.
  const int32_t* query_rows = nullptr;
  /// Without query_rows: the first token of each sequence whose row is computed; those before it are attended
  /// to, their rows at q are not read and at `out` not written.
  size_t query_begin = 0;
  float scale = 0;                 ///< > 0, usually 1 / sqrt(head_size)
  float softcap = 0;               ///< > 0: scores become softcap * tanh(score / softcap)
  bool causal = false;             ///< query i sees keys j <= i alone
  size_t max_distance = SIZE_MAX;  ///< query i sees keys with |i - j| <= max_distance alone,
  bool sees_first = false;         ///< and the first key however far it is
  /// Added to the score of head h, query i and key j, i and j counted from the sequence's first token:
  /// bias[h * bias_head_stride + i * bias_query_stride + j]. Null: nothing. A query stride of -1 makes it a
  /// table over j - i.
  const float* bias = nullptr;
  ptrdiff_t bias_head_stride = 0;
  ptrdiff_t bias_query_stride = 0;
  float* out = nullptr;  ///< f32[T, heads * head_size]; only the asked sequences and heads are written
  size_t out_stride = 0;
  void* scratch = nullptr;  ///< scratch_bytes(longest asked sequence, head_size) bytes, 64-byte aligned
};

struct AttentionVarlenKernel {
  const char* name;
  size_t (*scratch_bytes)(size_t longest_sequence, size_t head_size) noexcept;
  void (*run)(const AttentionVarlenArgs& args) noexcept;
};

}  // namespace enc::kernels
