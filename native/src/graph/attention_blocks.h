// Which queries of a long sequence the portable graph attends at once, and with which keys: scores of all of
// them with all others would take memory by the square of the length, and most lie beyond a window.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/ops.h"

namespace enc {

/// Rows of each of a group's sequences.
struct AttentionBlock {
  int64_t first_query, num_queries;
  int64_t first_key, num_keys;
  bool first_key_apart;  ///< the sequence's first key stands before those, and counts beside them

  int64_t num_columns() const { return num_keys + (first_key_apart ? 1 : 0); }
  /// The key of a column of the block's scores.
  int64_t key(int64_t column) const {
    if (!first_key_apart) return first_key + column;
    return column == 0 ? 0 : first_key + column - 1;
  }
};

/// Blocks of `count` sequences of `length` rows, all queries in order. The count matters for batches of
/// thousands of tokens only, which devices compute: on the CPU a text has the same blocks whatever its
/// batch-mates.
std::vector<AttentionBlock> attention_blocks(const AttentionSpec& spec, int64_t length, int64_t count);

/// At least as many as any layer of the model has.
size_t max_attention_blocks(const Hparams& hparams, int64_t length, int64_t count);

}  // namespace enc
